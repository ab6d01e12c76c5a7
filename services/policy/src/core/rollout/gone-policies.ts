import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import type { ObjectRef } from '../inbound/model.ts';
import { isJudged } from '../judgement/judge.ts';
import type { Judged } from '../judgement/judgement.ts';

/** A policy object that was deleted, as it was last. */
export interface Gone {
  readonly object: Judged;
  /** In the milliseconds of the clock by which it was taken. */
  readonly at: number;
}

/** So many are remembered, the newest, for so long. */
const most = 1_000;
const forMs = 10 * 60_000;

/** Policy objects that were deleted a short time ago: what they granted has to be withdrawn everywhere, which can be followed. */
export class GonePolicies {
  readonly #gone = new Map<string, Gone>();

  take(touched: readonly Touched[], now: number): void {
    for (const { before, after } of touched) {
      const object = after ?? before;
      if (object === undefined || !isJudged(object as KubeObject)) continue;
      const key = keyOf(object as Judged);
      this.#gone.delete(key);
      if (after === undefined) this.#gone.set(key, { object: object as Judged, at: now });
    }
    for (const [key, { at }] of this.#gone) {
      if (this.#gone.size <= most && now - at <= forMs) break;
      this.#gone.delete(key);
    }
  }

  get({ kind, namespace, name }: ObjectRef, now: number): Gone | undefined {
    const gone = this.#gone.get(`${kind}/${namespace}/${name}`);
    return gone !== undefined && now - gone.at <= forMs ? gone : undefined;
  }
}

const keyOf = ({ kind, meta }: Judged): string => `${kind}/${meta.namespace}/${meta.name}`;
