import { isDeepStrictEqual } from 'node:util';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { TokenBucket } from '@gatehouse/core/token-bucket';
import type { KubeClient, KubeRequest, KubeResponse } from '@gatehouse/platform/kube/client/client';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { limitedLog } from '@gatehouse/platform/log/limited-log';
import type { Log } from '@gatehouse/platform/log/log';
import { pause } from '@gatehouse/platform/process/pause';
import type { Judged, Judgement } from '../../core/judgement/judgement.ts';
import type { Rejudged } from '../../core/judgement/judgements.ts';
import {
  hasStatus,
  type OwnStatus,
  ownStatus,
  type StatusKind,
  statusKinds,
} from '../../core/status/own-status.ts';
import type { ProgrammedRounds } from './programmed-rounds.ts';
import { statusWrite } from './wire-status.ts';

/** `same`: it said so already; `failed` is tried again; `refused` waits for the next change of the object. */
export type StatusResult = 'written' | 'same' | 'failed' | 'refused';

export interface StatusWriterOptions {
  readonly client: KubeClient;
  readonly index: ResourceIndex;
  readonly budgets: ObjectBudgets;
  readonly judge: (object: Judged) => Judgement | undefined;
  /** On how many proxies a policy is in force, where it is known. */
  readonly programmedOf?: ProgrammedRounds['of'];
  /** Whether the cluster is known: until then nothing can be said of its objects. */
  readonly isReady: () => boolean;
  /** Whether this replica holds the Lease: asked before each write. */
  readonly mayWrite: () => boolean;
  readonly log: Log;
  readonly onResult: (result: StatusResult) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
}

/** All objects together; after a restart nothing is written that is there already. */
const writes = { burst: 20, perSecond: 20 };
/** One object at most so often. */
const everyMs = 1_000;
/** A write ends before another replica may hold the Lease (`LeaderElection`). */
const patienceMs = 4_000;
/** After a failure, doubled up to the longest. */
const retryMs = { first: 1_000, longest: 60_000 };
const pageSize = 500;

interface Waiting {
  readonly dueAt: number;
  readonly failures: number;
}

interface Said {
  readonly object: Judged;
  readonly text: string;
}

/**
 * Writes what became of policy objects into their statuses, while this replica holds the Lease. An object is read before it is
 * written, and written only if it is the one that was judged: what is said of a generation is true of it.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #complain: ReturnType<typeof limitedLog>;
  readonly #bucket = new TokenBucket(writes);
  /** What the statuses say, by object, as far as we know. */
  readonly #said = new Map<string, Said>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #versions = new Map<StatusKind, string>();
  #isLeading = false;
  /** Whether it just began to lead, and has to find out what the statuses say. */
  #shouldLearn = false;
  #wake = new AbortController();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#complain = limitedLog((fields, message) => options.log.warn(fields, message), {
      now: this.#elapsed,
    });
  }

  /** Objects whose status may have to be written. */
  get waiting(): number {
    return this.#waiting.size;
  }

  hear(changed: readonly Pick<Rejudged, 'object'>[]): void {
    const { index } = this.#options;
    for (const { object } of changed) {
      const key = keyOf(object);
      if (index.get(object.kind, object.meta.namespace, object.meta.name) === undefined) {
        this.#said.delete(key);
        this.#waiting.delete(key);
      } else if (this.#isLeading) this.#enqueue(object);
    }
    this.#wake.abort();
  }

  /** This replica holds the Lease, or holds it no more. */
  lead(isLeading: boolean): void {
    this.#isLeading = false;
    this.#waiting.clear();
    this.#said.clear();
    this.#shouldLearn = isLeading;
    this.#wake.abort();
  }

  /** Writes until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const either = AbortSignal.any([signal, this.#wake.signal]);
      if (this.#shouldLearn && !this.#options.isReady()) {
        await pause(readyEveryMs, either);
        continue;
      }
      if (this.#shouldLearn) await this.#begin(signal);
      const next = this.#next();
      if (next === undefined) await pause(longestPauseMs, either);
      else if (next.waitMs > 0) await pause(next.waitMs, either);
      else await this.#write(next.key, signal);
    }
  }

  /** Reads what all statuses say, a page at a time, so that only what differs is written. */
  async #begin(signal: AbortSignal): Promise<void> {
    try {
      for (const kind of statusKinds) await this.#learn(kind, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#complain({ err: error }, 'the statuses of policy objects cannot be read: they are not written');
      await pause(retryMs.first, signal);
      return;
    }
    this.#shouldLearn = false;
    this.#isLeading = this.#options.mayWrite();
    if (!this.#isLeading) return;
    for (const kind of statusKinds)
      for (const object of this.#options.index.all(kind)) this.#enqueue(object as Judged);
  }

  async #learn(kind: StatusKind, signal: AbortSignal): Promise<void> {
    const { group, versions, plural } = kindTable[kind];
    for (const version of versions) {
      let next: string | undefined;
      do {
        const path = `/apis/${group}/${version}/${plural}`;
        const answer = await this.#ask({ path, query: { limit: pageSize, continue: next }, signal });
        if (answer.status === 404) break;
        if (answer.status !== 200)
          throw new Error(`the API server answered ${answer.status} to a list of ${plural}`);
        this.#versions.set(kind, version);
        const { items = [], metadata = {} } = JSON.parse(answer.body.toString());
        for (const item of items)
          this.#note(kind, { ...item, apiVersion: `${group}/${version}`, kind: kindTable[kind].wireKind });
        next = metadata.continue || undefined;
      } while (next !== undefined);
      if (this.#versions.has(kind)) return;
    }
  }

  #note(kind: StatusKind, raw: WireObject): void {
    const { namespace, name } = raw.metadata as { readonly namespace: string; readonly name: string };
    const object = this.#options.index.get(kind, namespace, name) as Judged | undefined;
    const own = object && this.#ownOf(object);
    if (own === undefined || object === undefined) return;
    if (statusWrite(raw, own, '') === undefined)
      this.#said.set(keyOf(object), { object, text: JSON.stringify(own) });
  }

  #enqueue(object: Judged): void {
    if (!hasStatus(object)) return;
    const key = keyOf(object);
    const known = this.#waiting.get(key);
    this.#waiting.set(key, { dueAt: known?.dueAt ?? this.#elapsed(), failures: known?.failures ?? 0 });
  }

  #next(): { readonly key: string; readonly waitMs: number } | undefined {
    if (!this.#isLeading) return undefined;
    const now = this.#elapsed();
    let first: { readonly key: string; readonly dueAt: number } | undefined;
    for (const [key, { dueAt }] of this.#waiting) {
      if (first === undefined || dueAt < first.dueAt) first = { key, dueAt };
      if (dueAt <= now) break;
    }
    return first && { key: first.key, waitMs: Math.max(0, first.dueAt - now) };
  }

  async #write(key: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(key);
    const object = this.#objectOf(key);
    const own = object && this.#ownOf(object);
    if (waiting === undefined || object === undefined || own === undefined || this.#isSaid(object, own)) {
      this.#waiting.delete(key);
      return;
    }
    const waitMs = this.#bucket.take(this.#elapsed());
    if (waitMs > 0) {
      await pause(waitMs, signal);
      return;
    }
    const result = await this.#attempt(object, own, signal);
    if (signal.aborted) return;
    this.#options.onResult(result);
    switch (result) {
      case 'written':
      case 'same':
        this.#said.set(key, { object, text: JSON.stringify(own) });
        // What changed meanwhile is looked at no sooner than a second after this.
        this.#waiting.set(key, { dueAt: this.#elapsed() + everyMs, failures: 0 });
        break;
      case 'refused':
        this.#waiting.delete(key);
        break;
      case 'failed': {
        const failures = waiting.failures + 1;
        const wait = Math.min(retryMs.first * 2 ** (failures - 1), retryMs.longest);
        this.#waiting.set(key, { dueAt: this.#elapsed() + wait, failures });
        break;
      }
    }
  }

  /** Of this very object: another generation of it has to be said to be observed. */
  #isSaid(object: Judged, own: OwnStatus): boolean {
    const said = this.#said.get(keyOf(object));
    return said?.object === object && said.text === JSON.stringify(own);
  }

  async #attempt(object: Judged, own: OwnStatus, signal: AbortSignal): Promise<StatusResult> {
    const { index, budgets, mayWrite } = this.#options;
    const path = this.#pathOf(object);
    if (path === undefined) return 'refused';
    try {
      const current = await this.#ask({ path, signal });
      if (current.status === 404) return 'refused';
      if (current.status !== 200) return this.#failed('read', object, current);
      const raw: WireObject = JSON.parse(current.body.toString());
      const read = readObject(object.kind, raw, budgets);
      // The watch has not brought this state yet, or has brought a newer one: judge that first.
      const isJudged =
        read.outcome === 'read' &&
        isDeepStrictEqual(read.object, index.get(object.kind, object.meta.namespace, object.meta.name));
      if (!isJudged) return 'failed';
      const write = statusWrite(raw, own, new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z'));
      if (write === undefined) return 'same';
      if (!mayWrite()) return 'failed';
      const written = await this.#ask({ method: 'PATCH', path: `${path}/status`, ...write, signal });
      return written.status === 200 || written.status === 201
        ? 'written'
        : this.#failed('write', object, written);
    } catch (error) {
      if (!signal.aborted)
        this.#complain({ err: error }, 'the status of a policy object could not be written');
      return 'failed';
    }
  }

  #failed(what: 'read' | 'write', { kind, meta }: Judged, { status, body }: KubeResponse): StatusResult {
    // Another client wrote in between; the next attempt reads that.
    if (status === 409) return 'failed';
    const hint = status === 403 ? '; grant get on the kind and patch on its status' : '';
    this.#complain(
      { kind, namespace: meta.namespace, name: meta.name, status },
      `the API server did not let us ${what} the status of a policy object${hint}: ${body.toString().slice(0, 300)}`,
    );
    return status === 429 || status >= 500 || status === 403 ? 'failed' : 'refused';
  }

  /** What we have to say of an object, as the index is now. */
  #ownOf(object: Judged): OwnStatus | undefined {
    if (!hasStatus(object)) return undefined;
    const { index, judge, programmedOf = () => undefined } = this.#options;
    const { namespace } = object.meta;
    return ownStatus(object, judge(object), {
      hasServer: (name) => index.get('Server', namespace, name) !== undefined,
      programmed: object.kind === 'NetworkAuthenticationPolicy' ? programmedOf(object) : undefined,
    });
  }

  #objectOf(key: string): Judged | undefined {
    const [kind = '', namespace = '', name = ''] = key.split('/');
    return this.#options.index.get(kind as StatusKind, namespace, name) as Judged | undefined;
  }

  #pathOf({ kind, meta }: Judged): string | undefined {
    const version = this.#versions.get(kind as StatusKind);
    const { group, plural } = kindTable[kind];
    return version && `/apis/${group}/${version}/namespaces/${meta.namespace}/${plural}/${meta.name}`;
  }

  #ask(request: KubeRequest): Promise<KubeResponse> {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(patienceMs)]);
    return this.#options.client.request({ ...request, signal });
  }
}

const longestPauseMs = 60_000;
/** How often it is asked whether the cluster is known. */
const readyEveryMs = 200;

const keyOf = ({ kind, meta }: Judged): string => `${kind}/${meta.namespace}/${meta.name}`;
