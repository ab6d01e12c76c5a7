import type { Moment } from '@gatehouse/core/moment';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { Named, TokenClaims } from './token-claims.ts';

/** The kinds that must be watched to know callers. */
export const callerKinds = ['Pod', 'ServiceAccount'] as const satisfies readonly Kind[];

/** What the watch says of the ServiceAccount and pod that a token names. */
export type Acquaintance =
  | { readonly kind: 'known' }
  /** Nothing by that name and uid, now or lately: the watch may be behind the token. */
  | { readonly kind: 'unseen'; readonly what: string; readonly uid: string }
  | { readonly kind: 'refused'; readonly why: string };

interface Departed {
  readonly namespace: string;
  readonly name: string;
  /** Of a pod: what it ran as. */
  readonly runsAs: string | undefined;
  /** When we were told; no date of anybody. */
  readonly at: Moment['elapsed'];
}

/**
 * A pod being shut down may renew its certificate once more, and the watch may tell of a deletion before the pod has
 * noticed: tokens outlive their pod and ServiceAccount by this much (the leeway of the API server's own check).
 */
export const graceMs = 60_000;

const known: Acquaintance = Object.freeze({ kind: 'known' });

/**
 * The pods and ServiceAccounts that exist, and those that have been gone for at most a minute. Objects are told apart
 * by uid: a pod made again under its old name is another caller.
 */
export class KnownCallers {
  readonly #index = new ResourceIndex();
  /** By uid, oldest first: a Map keeps the order of insertion. */
  readonly #departed = new Map<string, Departed>();

  apply(changes: readonly Change[], now: Moment['elapsed']): void {
    for (const { before, after } of this.#index.apply(changes)) {
      if (after !== undefined) this.#departed.delete(after.meta.uid);
      if (before === undefined || before.meta.uid === after?.meta.uid) continue;
      const { namespace, name, uid } = before.meta;
      const runsAs = before.kind === 'Pod' ? this.#runsAs(before) : undefined;
      this.#departed.set(uid, { namespace, name, runsAs, at: now });
    }
    for (const [uid, { at }] of this.#departed) {
      if (at + graceMs >= now) break;
      this.#departed.delete(uid);
    }
  }

  /** Whether both kinds have been listed in full: before that, nobody can be said to be missing. */
  get isComplete(): boolean {
    return this.#index.isSynced(callerKinds);
  }

  look({ namespace, serviceAccount, pod }: TokenClaims, now: Moment): Acquaintance {
    if (pod !== undefined) {
      const seen = this.#lookAtPod(pod, { namespace, serviceAccount: serviceAccount.name, now });
      if (seen.kind !== 'known') return seen;
    }
    return this.#lookAtAccount(serviceAccount, namespace, now);
  }

  #lookAtPod(
    { name, uid }: Named,
    expected: { readonly namespace: string; readonly serviceAccount: string; readonly now: Moment },
  ): Acquaintance {
    const { namespace, serviceAccount, now } = expected;
    const what = `pod ${namespace}/${name}`;
    const live = this.#index.get('Pod', namespace, name);
    if (live?.meta.uid === uid) {
      if (isLongGone(live.meta.deletedAt, now.wall)) return refused(`${what} has been deleted`);
      if (live.spec.unread?.includes('serviceAccountName'))
        return refused(`the ServiceAccount of ${what} cannot be read`);
      return live.spec.serviceAccount === serviceAccount
        ? known
        : refused(`${what} runs as the ServiceAccount ${live.spec.serviceAccount}`);
    }
    const departed = this.#recall(uid, { namespace, name, now: now.elapsed });
    if (departed === undefined) return { kind: 'unseen', what: `${what} with uid ${uid}`, uid };
    if (departed.runsAs === undefined) return refused(`the ServiceAccount of ${what} could not be read`);
    return departed.runsAs === serviceAccount
      ? known
      : refused(`${what} ran as the ServiceAccount ${departed.runsAs}`);
  }

  #lookAtAccount({ name, uid }: Named, namespace: string, now: Moment): Acquaintance {
    const what = `ServiceAccount ${namespace}/${name}`;
    const live = this.#index.get('ServiceAccount', namespace, name);
    if (live?.meta.uid === uid) {
      return isLongGone(live.meta.deletedAt, now.wall) ? refused(`${what} has been deleted`) : known;
    }
    return this.#recall(uid, { namespace, name, now: now.elapsed }) === undefined
      ? { kind: 'unseen', what: `${what} with uid ${uid}`, uid }
      : known;
  }

  #recall(
    uid: string,
    expected: { readonly namespace: string; readonly name: string; readonly now: Moment['elapsed'] },
  ): Departed | undefined {
    const departed = this.#departed.get(uid);
    return departed !== undefined &&
      departed.namespace === expected.namespace &&
      departed.name === expected.name &&
      !isLongGone(departed.at, expected.now)
      ? departed
      : undefined;
  }

  #runsAs(object: { readonly spec: object }): string | undefined {
    const { unread } = object.spec as { readonly unread?: readonly unknown[] };
    if (unread?.includes('serviceAccountName')) return undefined;
    return 'serviceAccount' in object.spec && typeof object.spec.serviceAccount === 'string'
      ? object.spec.serviceAccount
      : undefined;
  }
}

const refused = (why: string): Acquaintance => ({ kind: 'refused', why });

/** Both by one clock: the API server's date by the wall clock, what we saw ourselves by the one that only goes forward. */
const isLongGone = (deletedAt: number | undefined, now: number): boolean =>
  deletedAt !== undefined && deletedAt + graceMs < now;
