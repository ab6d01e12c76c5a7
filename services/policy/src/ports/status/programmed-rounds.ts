import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { limitedLog } from '@gatehouse/platform/log/limited-log';
import type { Log } from '@gatehouse/platform/log/log';
import { pause } from '@gatehouse/platform/process/pause';
import type { Judgement } from '../../core/judgement/judgement.ts';
import type { RolloutState } from '../../core/rollout/judge-rollout.ts';
import { printRollout } from '../../core/rollout/print-rollout.ts';
import type { InboundWatches } from '../rollout/inbound-watches.ts';
import type { Rollouts } from '../rollout/rollouts.ts';

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

/** How far a policy has come, for its status. */
export interface Programmed {
  readonly state: RolloutState;
  readonly message: string;
}

export interface ProgrammedRoundsOptions {
  readonly rollouts: Pick<Rollouts, 'of' | 'watchesIn'>;
  readonly index: Pick<ResourceIndex, 'all' | 'get'>;
  readonly judge: (policy: Policy) => Judgement | undefined;
  readonly isReady: () => boolean;
  /** Told of each look at a policy that was changed, and of each look that found something new. */
  readonly onLook: (policy: Policy) => void;
  readonly log: Log;
}

/** What was just applied is on its way to proxies: a moment later there is one thing to say, not two. */
const firstMs = 300;
/** One that is not everywhere is looked at again so soon; each time nothing has changed, twice as late. */
const againMs = { first: 1_000, longest: 30_000 };
/** One that is everywhere, or nowhere: proxies come and go. */
const settledMs = 60_000;
/** Between two looks, and how much longer than a look: a quarter of one core at most, however many policies there are. */
const gapMs = 20;
const gapShare = 3;
/** What other replicas told of the streams of a namespace is good so long, for all of its policies. */
const keepMs = 250;

interface Entry {
  dueAt: number;
  waitMs: number;
  /** Of this very object; another has not been looked at. */
  known: { readonly policy: Policy; readonly programmed: Programmed } | undefined;
}

/**
 * Finds out for each policy on how many proxies it is in force, while this replica writes the statuses: it asks all replicas, as each
 * knows its own streams alone (decision 34). Policies that are on their way come first, all others in turns.
 */
export class ProgrammedRounds {
  readonly #options: ProgrammedRoundsOptions;
  readonly #complain: ReturnType<typeof limitedLog>;
  /** By `namespace/name`. */
  readonly #entries = new Map<string, Entry>();
  #isLeading = false;
  #wake = new AbortController();
  #kept:
    | { readonly namespace: string; readonly at: number; readonly found: Promise<InboundWatches> }
    | undefined;

  constructor(options: ProgrammedRoundsOptions) {
    this.#options = options;
    this.#complain = limitedLog((fields, message) => options.log.warn(fields, message));
  }

  /** This replica writes the statuses from now on, or does no more. */
  lead(isLeading: boolean): void {
    this.#isLeading = isLeading;
    this.#entries.clear();
    if (isLeading)
      for (const policy of this.#options.index.all('NetworkAuthenticationPolicy')) this.#due(policy, 0);
    this.#wake.abort();
  }

  /** These were applied. */
  hear(policies: readonly Policy[]): void {
    if (!this.#isLeading) return;
    for (const policy of policies) this.#due(policy, firstMs);
    this.#wake.abort();
  }

  /** What was found last of this very object; undefined before the first look at it. */
  of(policy: Policy): Programmed | undefined {
    const known = this.#entries.get(keyOf(policy))?.known;
    return known?.policy === policy ? known.programmed : undefined;
  }

  /** Looks until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const either = AbortSignal.any([signal, this.#wake.signal]);
      const next = this.#isLeading && this.#options.isReady() ? this.#next() : undefined;
      const waitMs = next === undefined ? idleMs : next.entry.dueAt - performance.now();
      if (next === undefined || waitMs > 0) {
        await pause(Math.min(Math.max(0, waitMs), idleMs), either);
        continue;
      }
      const begun = performance.now();
      await this.#look(next.key, next.entry, signal);
      await pause(Math.max(gapMs, (performance.now() - begun) * gapShare), signal);
    }
  }

  #due(policy: Policy, inMs: number): void {
    const known = this.#entries.get(keyOf(policy))?.known;
    this.#entries.set(keyOf(policy), { dueAt: performance.now() + inMs, waitMs: againMs.first, known });
  }

  #next(): { readonly key: string; readonly entry: Entry } | undefined {
    let first: { readonly key: string; readonly entry: Entry } | undefined;
    for (const [key, entry] of this.#entries)
      if (first === undefined || entry.dueAt < first.entry.dueAt) first = { key, entry };
    return first;
  }

  async #look(key: string, entry: Entry, signal: AbortSignal): Promise<void> {
    const { rollouts, index, judge, onLook } = this.#options;
    const [namespace = '', name = ''] = key.split('/');
    const policy = index.get('NetworkAuthenticationPolicy', namespace, name);
    if (policy === undefined) {
      this.#entries.delete(key);
      return;
    }
    try {
      const rollout = await rollouts.of(policy, { watchesIn: (of) => this.#watchesIn(of), signal });
      const message = printRollout(rollout, { isDeleted: false, judgement: judge(policy) });
      const before = this.of(policy);
      const isSame = before?.state === rollout.state && before.message === message;
      const isSettled = rollout.state === 'Programmed' || rollout.state === 'NothingToProgram';
      entry.known = { policy, programmed: { state: rollout.state, message } };
      entry.waitMs = isSame ? Math.min(entry.waitMs * 2, againMs.longest) : againMs.first;
      entry.dueAt = performance.now() + (isSettled ? settledMs : entry.waitMs);
      if (!isSame && this.#isLeading) onLook(policy);
    } catch (error) {
      if (signal.aborted) return;
      entry.dueAt = performance.now() + againMs.longest;
      this.#complain(
        { err: error, namespace, name },
        'it could not be found out on which proxies a policy is in force',
      );
    }
  }

  #watchesIn(namespace: string): Promise<InboundWatches> {
    const now = performance.now();
    if (this.#kept?.namespace !== namespace || now - this.#kept.at > keepMs)
      this.#kept = { namespace, at: now, found: this.#options.rollouts.watchesIn(namespace) };
    return this.#kept.found;
  }
}

const idleMs = 1_000;

const keyOf = ({ meta }: Policy): string => `${meta.namespace}/${meta.name}`;
