import { GatehouseError } from '@gatehouse/shared/error';
import type { Change, Source } from '@gatehouse/shared/kube/changes';
import { type Acquaintance, callerKinds, KnownCallers } from '../core/known-callers.ts';
import type { TokenClaims } from '../core/token-claims.ts';

/** How long a token may be ahead of the watch (design §4 step 3). */
const patienceMs = 3_000;
const maxWaits = 256;

/** How long "there is no such pod" is believed without waiting again. */
const memoryMs = 60_000;
const maxMissing = 4_096;

export interface WatchedCallersOptions {
  readonly source: Source;
  /** How long the watch may show no life before nothing is decided by it any more. */
  readonly maxStalenessMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Wait {
  readonly claims: TokenClaims;
  readonly settled: Promise<void>;
  readonly resolve: () => void;
}

/**
 * The ServiceAccounts and pods that the watch shows. A token may arrive before the watch tells of its pod: such calls
 * wait a little, all of one pod together, without holding up anybody else.
 */
export class WatchedCallers {
  readonly #source: Source;
  readonly #maxStalenessMs: number;
  readonly #now: () => number;
  readonly #callers = new KnownCallers();
  #freshUntil = 0;
  readonly #waits = new Map<string, Wait>();
  /** Until when a uid counts as missing; oldest first. */
  readonly #missing = new Map<string, number>();

  constructor({ source, maxStalenessMs, now }: WatchedCallersOptions) {
    this.#source = source;
    this.#maxStalenessMs = maxStalenessMs;
    this.#now = now;
  }

  /** Watches until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#source.run(callerKinds, (changes) => this.#apply(changes), signal);
  }

  /** How many pods are being waited for. */
  get waiting(): number {
    return this.#waits.size;
  }

  /**
   * Passes if the ServiceAccount and pod of the claims exist. Answers at once when that is known, which is nearly always.
   * Throws `failed-precondition` if they do not, `unavailable` when too many are being waited for or the watch is stale.
   */
  require(claims: TokenClaims): void | Promise<void> {
    if (this.#isStale()) {
      throw new GatehouseError('unavailable', 'the watch of pods and ServiceAccounts is stale: try again');
    }
    const seen = this.#callers.look(claims, this.#now());
    const isMissing = seen.kind === 'unseen' && (this.#missing.get(seen.uid) ?? 0) > this.#now();
    return seen.kind === 'unseen' && !isMissing ? this.#wait(claims) : this.#judge(seen);
  }

  /** The watch is asked for a proof of life only when the last one has become too old. */
  #isStale(): boolean {
    const now = this.#now();
    if (now <= this.#freshUntil || !this.#callers.isComplete) return false;
    const alive = this.#source.health().map(({ aliveAt }) => aliveAt);
    this.#freshUntil = Math.min(...alive) + this.#maxStalenessMs;
    return now > this.#freshUntil;
  }

  async #wait(claims: TokenClaims): Promise<void> {
    const key = `${claims.pod?.uid ?? ''}/${claims.serviceAccount.uid}`;
    await (this.#waits.get(key) ?? this.#begin(key, claims)).settled;
    this.#judge(this.#callers.look(claims, this.#now()));
  }

  #judge(seen: Acquaintance): void {
    switch (seen.kind) {
      case 'known':
        return;
      case 'refused':
        throw refused(seen.why);
      case 'unseen':
        // Before the first full list nobody can be said to be missing.
        if (this.#callers.isComplete) throw refused(`there is no ${seen.what}`);
        throw new GatehouseError(
          'unavailable',
          'pods and ServiceAccounts have not all been read yet: try again',
        );
    }
  }

  #begin(key: string, claims: TokenClaims): Wait {
    if (this.#waits.size >= maxWaits) {
      throw new GatehouseError(
        'unavailable',
        `${maxWaits} pods that the watch does not show are waited for already: try again`,
      );
    }
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      clearTimeout(timer);
      this.#waits.delete(key);
      resolve();
    };
    const timer = setTimeout(() => {
      this.#remember(claims);
      end();
    }, patienceMs);
    const wait: Wait = { claims, settled, resolve: end };
    this.#waits.set(key, wait);
    return wait;
  }

  /** The wait was in vain. Before the first full list that says nothing about the pod. */
  #remember(claims: TokenClaims): void {
    const now = this.#now();
    const seen = this.#callers.look(claims, now);
    if (seen.kind !== 'unseen' || !this.#callers.isComplete) return;
    for (const [uid, until] of this.#missing) {
      if (until > now && this.#missing.size < maxMissing) break;
      this.#missing.delete(uid);
    }
    this.#missing.set(seen.uid, now + memoryMs);
  }

  #apply(changes: readonly Change[]): void {
    this.#callers.apply(changes, this.#now());
    for (const { claims, resolve } of [...this.#waits.values()]) {
      if (this.#callers.look(claims, this.#now()).kind !== 'unseen') resolve();
    }
  }
}

const refused = (why: string): GatehouseError =>
  new GatehouseError('failed-precondition', `the token is not accepted: ${why}`);
