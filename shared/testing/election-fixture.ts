import { GatehouseError } from '@gatehouse/core/error';
import type { ElectionTiming, Lease, LeaseClaim } from '@gatehouse/core/writes/leader-election';
import {
  type ElectionClock,
  LeaderElection,
  type LeaseStore,
} from '@gatehouse/platform/kube/write/leader-election';
import { silentLog } from '@gatehouse/platform/log/log';
import { randomFrom } from './random-from.ts';

/** How a replica's clocks differ from true time. */
export interface SkewedClock {
  /** Milliseconds that the wall clock is ahead, or behind. */
  readonly wallOffset: number;
  /** True milliseconds count as this many: 1.1 runs a tenth fast. */
  readonly pace: number;
  /** The same for the wall clock, when it goes otherwise than the monotonic one. */
  readonly wallPace?: number;
}

export interface Weather {
  /** The longest that a call, or its answer, is under way when nothing is wrong; milliseconds. */
  readonly delay: number;
  /** How many of a thousand calls are given up on: half of them after they were applied. */
  readonly lostPerMille: number;
}

interface Replica {
  readonly name: string;
  readonly election: LeaderElection;
  readonly stop: AbortController;
  readonly over: Promise<void>;
  /** Calls of a replica that is cut off are under way for this much longer; true time. */
  cutOffUntil: number;
  /** When its last write has landed; true time. */
  busyUntil: number;
}

/**
 * Replicas that stand for election over one Lease, in virtual time: calls and answers late, lost, or cut off, and clocks
 * that differ. After every event it looks whether two may write, or one may while another's write is still under way.
 */
export class ElectionFixture {
  readonly #timing: ElectionTiming;
  readonly #weather: Weather;
  readonly #writeMs: number;
  readonly #random: () => number;
  readonly #events: { at: number; order: number; run: (() => void) | undefined }[] = [];
  readonly #replicas = new Map<string, Replica>();
  #now = 0;
  #order = 0;
  #version = 0;
  #lease: Lease | undefined;
  /** Everything that two wrote at once, in words. */
  readonly broken: string[] = [];
  /** Who wrote, once for each change of the writer. */
  readonly terms: string[] = [];
  #calls = 0;

  constructor(options: {
    readonly timing: ElectionTiming;
    readonly weather: Weather;
    /** The longest that a write is under way; milliseconds. */
    readonly writeMs: number;
    readonly seed: number;
  }) {
    this.#timing = options.timing;
    this.#weather = options.weather;
    this.#writeMs = options.writeMs;
    this.#random = randomFrom(options.seed);
  }

  get lease(): Lease | undefined {
    return this.#lease;
  }

  get calls(): number {
    return this.#calls;
  }

  get leaders(): readonly string[] {
    return [...this.#replicas.values()].filter(({ election }) => election.mayWrite()).map(({ name }) => name);
  }

  start(name: string, clock: SkewedClock = { wallOffset: 0, pace: 1 }): void {
    const stop = new AbortController();
    const election = new LeaderElection({
      leases: this.#storeFor(name),
      id: name,
      log: silentLog,
      timing: this.#timing,
      clock: this.#clockOf(clock),
      dice: this.#random,
    });
    const over = election.run(stop.signal);
    this.#replicas.set(name, { name, election, stop, over, cutOffUntil: 0, busyUntil: 0 });
    this.#write(name);
  }

  /** Stops in order: its writes are over before it lets go. */
  stop(name: string): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    this.after(Math.max(0, replica.busyUntil - this.#now), () => {
      if (replica.busyUntil > this.#now) this.stop(name);
      else replica.stop.abort();
    });
  }

  cutOff(name: string, ms: number): void {
    const replica = this.#replicas.get(name);
    if (replica !== undefined) replica.cutOffUntil = Math.max(replica.cutOffUntil, this.#now + ms);
  }

  cutOffAll(ms: number): void {
    for (const name of this.#replicas.keys()) this.cutOff(name, ms);
  }

  deleteLease(): void {
    this.#lease = undefined;
  }

  /** What `kubectl annotate` does: another version of the same claim. */
  touchLease(): void {
    if (this.#lease === undefined) return;
    this.#version += 1;
    this.#lease = { ...this.#lease, version: `${this.#version}` };
  }

  after(ms: number, run: () => void): () => void {
    const event: { at: number; order: number; run: (() => void) | undefined } = {
      at: this.#now + ms,
      order: this.#order++,
      run,
    };
    let index = this.#events.length;
    while (index > 0 && isAfter(this.#events[index - 1], event)) index -= 1;
    this.#events.splice(index, 0, event);
    return () => {
      event.run = undefined;
    };
  }

  async passes(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      // Everything that the last event set off is done before the next begins.
      await new Promise(setImmediate);
      this.#check();
      const next = this.#events[0];
      if (next === undefined || next.at > end) break;
      this.#events.shift();
      this.#now = next.at;
      next.run?.();
    }
    this.#now = end;
  }

  /** Ends every replica. */
  async end(): Promise<void> {
    for (const { stop } of this.#replicas.values()) stop.abort();
    await this.passes(10 * this.#timing.leaseMs);
    await Promise.all([...this.#replicas.values()].map(({ over }) => over));
  }

  #check(): void {
    const { leaders } = this;
    if (leaders.length > 1) this.broken.push(`${this.#now}: ${leaders.join(' and ')} may write`);
    for (const leader of leaders)
      for (const { name, busyUntil } of this.#replicas.values())
        if (name !== leader && busyUntil > this.#now)
          this.broken.push(`${this.#now}: ${leader} may write while ${name} still does`);
    const [leader] = leaders;
    if (leader !== undefined && this.terms.at(-1) !== leader) this.terms.push(leader);
  }

  #write(name: string): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined || replica.stop.signal.aborted) return;
    if (replica.election.mayWrite())
      replica.busyUntil = Math.max(replica.busyUntil, this.#now + this.#random() * this.#writeMs);
    this.after(50 + this.#random() * 200, () => this.#write(name));
  }

  #clockOf({ wallOffset, pace, wallPace = pace }: SkewedClock): ElectionClock {
    const origin = this.#random() * 1_000_000;
    return {
      now: () => origin + this.#now * pace,
      wall: () => 1_700_000_000_000 + this.#now * wallPace + wallOffset,
      after: (ms, then) => this.after(ms / pace, then),
    };
  }

  #storeFor(name: string): LeaseStore {
    return {
      name: 'gatehouse/leader',
      get: (signal) => this.#call(name, signal, () => this.#lease),
      create: (claim, signal) =>
        this.#call(name, signal, () => (this.#lease === undefined ? this.#put(claim) : undefined)),
      update: (version, claim, signal) =>
        this.#call(name, signal, () => (this.#lease?.version === version ? this.#put(claim) : undefined)),
    };
  }

  #put(claim: LeaseClaim): Lease {
    if (this.#lease !== undefined && sameClaim(this.#lease, claim)) return this.#lease;
    this.#version += 1;
    this.#lease = { ...claim, version: `${this.#version}` };
    return this.#lease;
  }

  #call<T>(name: string, signal: AbortSignal, apply: () => T): Promise<T> {
    this.#calls += 1;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const held = Math.max(0, (this.#replicas.get(name)?.cutOffUntil ?? 0) - this.#now);
    const lost = this.#random() * 1000 < this.#weather.lostPerMille;
    const isLate = this.#random() < 0.5;
    // An abort ends the waiting, never what is under way: a call may be applied long after it was given up.
    this.after(this.#random() * this.#weather.delay + (isLate ? held : 0), () => {
      if ((lost || held > 0) && !isLate) return;
      const answer = apply();
      if (lost) return;
      const back = Math.max(0, (this.#replicas.get(name)?.cutOffUntil ?? 0) - this.#now);
      this.after(this.#random() * this.#weather.delay + back, () => resolve(answer));
    });
    if (lost) this.after(this.#random() * 3_000, () => reject(new GatehouseError('unavailable', 'cut off')));
    return promise;
  }
}

/** An update that changes nothing makes no version, as on the real server. */
const sameClaim = (one: LeaseClaim, other: LeaseClaim): boolean =>
  one.holder === other.holder &&
  one.renewTime === other.renewTime &&
  one.acquireTime === other.acquireTime &&
  one.transitions === other.transitions;

const isAfter = (
  one: { readonly at: number; readonly order: number } | undefined,
  other: { readonly at: number; readonly order: number },
): boolean => one !== undefined && (one.at > other.at || (one.at === other.at && one.order > other.order));
