import { GatehouseError } from '@gatehouse/core/error';
import {
  claimed,
  type Election,
  type ElectionStep,
  type ElectionTiming,
  inDoubt,
  isInTerm,
  type Lease,
  type LeaseClaim,
  newElection,
  nextStep,
  release,
  said,
  saw,
  usualElectionTiming,
} from '@gatehouse/core/writes/leader-election';
import type { Log } from '../../log/log.ts';
import { type Clock, systemClock } from '../../process/clock.ts';
import { within } from '../../process/within.ts';

/** One Lease of the API server. Every call throws when no answer came, though what it asked may have been done. */
export interface LeaseStore {
  /** For messages: `NAMESPACE/NAME`. */
  readonly name: string;
  /** The Lease as it is now, not as a cache had it; undefined when there is none. */
  get(signal: AbortSignal): Promise<Lease | undefined>;
  /** The Lease as it was made; undefined when there is one already. */
  create(claim: LeaseClaim, signal: AbortSignal): Promise<Lease | undefined>;
  /** The Lease as it was written; undefined when `version` is no longer the newest, or there is none. */
  update(version: string, claim: LeaseClaim, signal: AbortSignal): Promise<Lease | undefined>;
}

export interface ElectionClock extends Pick<Clock, 'now' | 'after'> {
  /** Epoch milliseconds, for people. */
  wall(): number;
}

export interface LeaderElectionOptions {
  readonly leases: LeaseStore;
  /** Unique to this life of this process: the pod's name and a random part. */
  readonly id: string;
  readonly log: Log;
  /** Told of each beginning and end of our terms; `mayWrite()` is what decides. */
  readonly onChange?: (isLeading: boolean) => void;
  readonly timing?: ElectionTiming;
  readonly clock?: ElectionClock;
  /** A random number from 0 to 1. */
  readonly dice?: () => number;
}

/**
 * Lets one of several replicas write. A holder that cannot renew stops before anybody else may start, by its own clock
 * alone; a write begun while `mayWrite()` must be over, or given up, within `leaseMs - renewDeadlineMs` (5 s). A process
 * that stands still between asking and writing is beyond this, as beyond every lease.
 */
export class LeaderElection {
  readonly #options: Required<LeaderElectionOptions>;
  #election: Election;
  #wasLeading = false;
  /** How many calls in a row failed. */
  #refusals = 0;
  #isStopped = false;
  #claims = 0;

  constructor({
    onChange = () => {},
    timing = usualElectionTiming,
    clock = { ...systemClock, wall: Date.now },
    dice = Math.random,
    ...rest
  }: LeaderElectionOptions) {
    const { leaseMs, renewDeadlineMs, retryMs } = timing;
    if (!(leaseMs % 1000 === 0 && leaseMs > renewDeadlineMs && renewDeadlineMs > 2 * retryMs && retryMs > 0))
      throw new GatehouseError(
        'invalid-argument',
        `an election with a lease of ${leaseMs} ms, a renew deadline of ${renewDeadlineMs} ms and a retry period of ` +
          `${retryMs} ms cannot be held: the lease is whole seconds and longer than the deadline, which is longer than two periods`,
      );
    this.#options = { onChange, timing, clock, dice, ...rest };
    this.#election = newElection(rest.id, timing);
  }

  /** To be asked before each write. */
  mayWrite(): boolean {
    return !this.#isStopped && isInTerm(this.#election, this.#options.clock.now());
  }

  /** Who holds the Lease as we last saw it; empty when nobody does. */
  get holder(): string {
    return this.#election.known?.lease.holder ?? '';
  }

  /** Stands for election until `signal` aborts, then lets go of the Lease: end the writers first. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const step = nextStep(this.#election, this.#now(), this.#nextTime());
      try {
        await this.#take(step, signal);
        if (step.kind !== 'rest') this.#refusals = 0;
      } catch (error) {
        if (signal.aborted) break;
        this.#election = inDoubt(this.#election);
        this.#say(error);
        this.#announce();
        await this.#rest(this.#options.timing.retryMs, signal);
      }
      this.#announce();
    }
    this.#isStopped = true;
    this.#announce();
    await this.#letGo();
  }

  async #take(step: ElectionStep, signal: AbortSignal): Promise<void> {
    const { leases } = this.#options;
    switch (step.kind) {
      case 'rest':
        return this.#rest(step.ms, signal);
      case 'look': {
        const lease = await this.#within(signal, (until) => leases.get(until));
        this.#election = saw(this.#election, lease, this.#now());
        return;
      }
      case 'create':
        return this.#claim(step.claim, signal, (until) => leases.create(step.claim, until));
      case 'update':
        return this.#claim(step.claim, signal, (until) => leases.update(step.version, step.claim, until));
    }
  }

  async #claim(
    claim: LeaseClaim,
    signal: AbortSignal,
    send: (until: AbortSignal) => Promise<Lease | undefined>,
  ): Promise<void> {
    this.#election = said(this.#election, claim);
    const sentAt = this.#now();
    const lease = await this.#within(signal, send);
    this.#election =
      lease === undefined
        ? inDoubt(this.#election)
        : claimed(this.#election, lease, { sentAt, now: this.#now() });
  }

  /** Waits no longer than half a term for an answer, so that there is time for another call; nor beyond the term. */
  #within<T>(signal: AbortSignal, call: (until: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timing, leases } = this.#options;
    const left = this.#election.termEndsAt - this.#now();
    const ms = Math.min(timing.renewDeadlineMs / 2, left > 0 ? left : Number.POSITIVE_INFINITY);
    const late = (): GatehouseError =>
      new GatehouseError(
        'deadline-exceeded',
        `no answer about the Lease ${leases.name} within ${Math.round(ms)} ms`,
      );
    return within({ ms, signal, late, clock }, call);
  }

  /** Up to a fifth longer: replicas that started together do not ask together. A holder's rest is exact. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, dice } = this.#options;
    const longer = this.mayWrite() ? 0 : 0.2 * dice() * this.#options.timing.retryMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ms + longer, resolve);
    const stop = () => resolve();
    signal.addEventListener('abort', stop);
    await promise;
    signal.removeEventListener('abort', stop);
    cancel();
  }

  /** A courtesy to the next holder, tried once: without it the Lease ends by itself. */
  async #letGo(): Promise<void> {
    const { leases, log } = this.#options;
    const { known, lookedAt, id } = this.#election;
    if (known === undefined || (lookedAt !== undefined && known.lease.holder !== id)) return;
    const last = new AbortController();
    try {
      // A renewal may have been under way: what is there now?
      const lease = await this.#within(last.signal, (until) => leases.get(until));
      const step = release(saw(this.#election, lease, this.#now()), this.#nextTime());
      if (step?.kind !== 'update') return;
      await this.#within(last.signal, (until) => leases.update(step.version, step.claim, until));
    } catch (error) {
      log.debug({ err: error }, `the Lease ${leases.name} could not be let go: it ends by itself`);
    }
  }

  #announce(): void {
    const { log, leases, onChange } = this.#options;
    const isLeading = this.mayWrite();
    if (isLeading === this.#wasLeading) return;
    this.#wasLeading = isLeading;
    log.info(
      { holder: this.holder },
      isLeading
        ? `this replica holds the Lease ${leases.name}`
        : `this replica no longer holds the Lease ${leases.name}`,
    );
    onChange(isLeading);
  }

  /** An outage is one warning, not one every two seconds; a call that an API server under load answers late is none. */
  #say(error: unknown): void {
    const { log, leases } = this.#options;
    this.#refusals += 1;
    log[this.#refusals === 2 ? 'warn' : 'debug']({ err: error }, `the Lease ${leases.name} cannot be had`);
  }

  #now(): number {
    return this.#options.clock.now();
  }

  /** A MicroTime whose last three digits count: a clock that stands still must not make two claims equal. */
  #nextTime(): string {
    this.#claims = (this.#claims + 1) % 1000;
    const millis = new Date(this.#options.clock.wall()).toISOString().slice(0, -1);
    return `${millis}${String(this.#claims).padStart(3, '0')}Z`;
  }
}
