import { GatehouseError } from '@gatehouse/core/error';
import type { Moment } from '@gatehouse/core/moment';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Source } from '@gatehouse/platform/kube/source';
import { type Acquaintance, callerKinds, KnownCallers } from '../../core/token/known-callers.ts';
import type { TokenClaims } from '../../core/token/token-claims.ts';
import { SharedWork } from './shared-work.ts';

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
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
}

/** What can be said of the ServiceAccount and pod that a token names. */
export type Standing =
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly why: string }
  /** The watch is alive and has not shown them in all the time that was given to it. */
  | { readonly kind: 'unseen'; readonly why: string; readonly uid: string }
  /** The watch cannot be asked: it is stale, or has not read everything yet. */
  | { readonly kind: 'undecided'; readonly why: string };

/**
 * The ServiceAccounts and pods that the watch shows. A token may arrive before the watch tells of its pod: such calls
 * wait a little, all of one pod together, without holding up anybody else.
 */
export class WatchedCallers {
  readonly #source: Source;
  readonly #maxStalenessMs: number;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #callers = new KnownCallers();
  #freshUntil: Moment['elapsed'] = Number.NEGATIVE_INFINITY;
  readonly #waits = new SharedWork<void>();
  /** Ends each wait whose pod has been shown. */
  readonly #wakes = new Map<() => void, TokenClaims>();
  /** Until when a uid counts as missing; oldest first. */
  readonly #missing = new Map<string, Moment['elapsed']>();

  constructor({ source, maxStalenessMs, now, elapsed }: WatchedCallersOptions) {
    this.#source = source;
    this.#maxStalenessMs = maxStalenessMs;
    this.#now = now;
    this.#elapsed = elapsed;
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
   * Whether the ServiceAccount and pod of the claims exist. Answers at once when that is known, which is nearly always.
   * Throws `unavailable` when too many are being waited for; rejects with `cancelled` once `signal` aborts.
   */
  judge(claims: TokenClaims, signal: AbortSignal): Standing | Promise<Standing> {
    const seen = this.#look(claims);
    return seen.kind === 'unseen' ? this.#wait(claims, signal) : seen;
  }

  /** Somebody who would know has said that there is no such pod: it is not waited for during the next minute. */
  remember(uid: string): void {
    const now = this.#elapsed();
    for (const [old, until] of this.#missing) {
      if (until > now && this.#missing.size < maxMissing) break;
      this.#missing.delete(old);
    }
    this.#missing.delete(uid);
    this.#missing.set(uid, now + memoryMs);
  }

  #look(claims: TokenClaims): Standing {
    if (this.#isStale()) {
      return { kind: 'undecided', why: 'the watch of pods and ServiceAccounts is stale: try again' };
    }
    const seen: Acquaintance = this.#callers.look(claims, this.#moment);
    if (seen.kind !== 'unseen') return seen;
    const why = `there is no ${seen.what}`;
    const isMissing = (this.#missing.get(seen.uid) ?? Number.NEGATIVE_INFINITY) > this.#elapsed();
    return isMissing ? { kind: 'refused', why } : { kind: 'unseen', why, uid: seen.uid };
  }

  /** The watch is asked for a proof of life only when the last one has become too old. */
  #isStale(): boolean {
    const now = this.#elapsed();
    if (now <= this.#freshUntil || !this.#callers.isComplete) return false;
    const ages = this.#source.health().map(({ staleMs = Number.POSITIVE_INFINITY }) => staleMs);
    this.#freshUntil = now + this.#maxStalenessMs - Math.max(...ages);
    return now > this.#freshUntil;
  }

  async #wait(claims: TokenClaims, signal: AbortSignal): Promise<Standing> {
    // Of one pod, but not of another life of its ServiceAccount: that is waited for by itself.
    const key = `${claims.pod?.uid ?? ''}/${claims.serviceAccount.uid}`;
    if (!this.#waits.has(key) && this.#waits.size >= maxWaits) {
      throw new GatehouseError(
        'unavailable',
        `${maxWaits} pods that the watch does not show are waited for already: try again`,
      );
    }
    await this.#waits.join(key, signal, (abandoned) => this.#untilShown(claims, abandoned));
    const seen = this.#look(claims);
    // Before the first full list nobody can be said to be missing.
    if (seen.kind !== 'unseen' || this.#callers.isComplete) return seen;
    return { kind: 'undecided', why: 'pods and ServiceAccounts have not all been read yet: try again' };
  }

  /** Resolves when the watch shows who is waited for, when it took too long, or when nobody waits any more. */
  #untilShown(claims: TokenClaims, abandoned: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      clearTimeout(timer);
      this.#wakes.delete(end);
      resolve();
    };
    const timer = setTimeout(end, patienceMs);
    this.#wakes.set(end, claims);
    abandoned.addEventListener('abort', end, { once: true });
    return promise;
  }

  #apply(changes: readonly Change[]): void {
    this.#callers.apply(changes, this.#elapsed());
    for (const [wake, claims] of [...this.#wakes]) {
      if (this.#callers.look(claims, this.#moment).kind !== 'unseen') wake();
    }
  }

  get #moment(): Moment {
    return { wall: this.#now(), elapsed: this.#elapsed() };
  }
}
