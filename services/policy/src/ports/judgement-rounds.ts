import type { Log } from '@gatehouse/platform/log/log';
import type { Clock } from '@gatehouse/platform/process/clock';
import type { Judgement, PolicyState } from '../core/judgement/judgement.ts';
import type { Judgements, Rejudged } from '../core/judgement/judgements.ts';
import { type PolicyReason, passingReasons } from '../core/judgement/reasons.ts';

export interface JudgementRoundsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly judgements: Judgements;
  /** Whether something else waits that streams wait for. */
  readonly isBusy: () => boolean;
}

/** An object is judged at most so often, however often what it depends on changes. */
const everyMs = 1_000;
/** How long objects are judged at once, and how long everything else has then: a quarter of one core at most. */
const sliceMs = 5;
const pauseMs = 15;
/** So many objects are named in the log for one round; the metric and `/v1/policies` have all. */
const mostLines = 20;

/**
 * Judges every policy object that may have become another, once a second, and says what changed: in the log, and by counts
 * for the metrics. A question about one object in between is answered from the index as it is.
 */
export class JudgementRounds {
  readonly #options: JudgementRoundsOptions;
  readonly #failed = Promise.withResolvers<never>();
  readonly #reasons = new Map<PolicyReason, number>();
  readonly #states = new Map<PolicyState, number>();
  readonly #listeners = new Set<(changed: readonly Rejudged[]) => void>();
  #cancel: (() => void) | undefined;
  #begunAt = Number.NEGATIVE_INFINITY;
  #lines = 0;
  /** Warnings beyond the lines of this round. */
  #unsaid = 0;
  #isClosed = false;

  constructor(options: JudgementRoundsOptions) {
    this.#options = options;
  }

  /** How many objects have each reason; one that had some once stays with 0. */
  get reasons(): ReadonlyMap<PolicyReason, number> {
    return this.#reasons;
  }

  get states(): ReadonlyMap<PolicyState, number> {
    return this.#states;
  }

  /** Rejects with what judging threw; await it where the rounds are owned. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Has `hear` called with what each slice found changed; what comes back ends that. */
  follow(hear: (changed: readonly Rejudged[]) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  /** Something may have changed. */
  wake(): void {
    if (this.#cancel !== undefined || this.#isClosed) return;
    const { clock } = this.#options;
    this.#wait(Math.max(0, this.#begunAt + everyMs - clock.now()), () => {
      this.#begunAt = clock.now();
      this.#lines = 0;
      this.#unsaid = 0;
      this.#slice();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #wait(ms: number, run: () => void): void {
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#cancel = undefined;
      run();
    });
  }

  #slice(): void {
    const { clock, judgements, isBusy } = this.#options;
    if (isBusy()) {
      this.#wait(pauseMs, () => this.#slice());
      return;
    }
    const until = clock.now() + sliceMs;
    try {
      const changed = judgements.catchUp(() => clock.now() >= until);
      for (const one of changed) this.#note(one);
      if (changed.length > 0) for (const hear of this.#listeners) hear(changed);
    } catch (error) {
      this.#failed.reject(error);
      return;
    }
    if (judgements.waiting > 0) this.#wait(pauseMs, () => this.#slice());
    else if (this.#unsaid > 0) {
      this.#options.log.warn(
        { more: this.#unsaid },
        'more policy objects do not do what they say: /v1/policies has all of them',
      );
    }
  }

  #note({ object, before, after }: Rejudged): void {
    count(this.#states, before === undefined ? [] : [before.state], -1);
    count(this.#states, after === undefined ? [] : [after.state], 1);
    const [had, has] = [reasonsOf(before), reasonsOf(after)];
    count(this.#reasons, had, -1);
    count(this.#reasons, has, 1);
    const isSaid = had.size === has.size && had.isSubsetOf(has) && before?.state === after?.state;
    if (isSaid || after === undefined || had.size + has.size === 0) return;
    // What is rejected is said at once, with all its problems.
    if (after.state === 'Rejected' || before?.state === 'Rejected') return;
    const level = has.isSubsetOf(passingReasons) ? 'info' : 'warn';
    this.#lines += 1;
    if (this.#lines > mostLines) {
      if (level === 'warn') this.#unsaid += 1;
      return;
    }
    const { kind, meta } = object;
    const about = { kind, namespace: meta.namespace, name: meta.name, state: after.state };
    const [first] = after.findings;
    if (first === undefined) this.#options.log.info(about, 'the policy object does all that it says');
    else this.#options.log[level]({ ...about, reasons: [...has], field: first.field }, first.message);
  }
}

const reasonsOf = (judgement: Judgement | undefined): ReadonlySet<PolicyReason> =>
  new Set(judgement?.findings.map(({ reason }) => reason));

const count = <K>(counts: Map<K, number>, keys: Iterable<K>, change: number): void => {
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + change);
};
