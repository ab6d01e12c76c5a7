import { GatehouseError } from '@gatehouse/core/error';
import type { Moment } from '@gatehouse/core/moment';
import { printProblem } from '@gatehouse/core/problem';
import type { Log } from '@gatehouse/platform/log/log';
import { pause } from '@gatehouse/platform/process/pause';
import { within } from '@gatehouse/platform/process/within';
import { readKeySet, type TokenKey } from './key-set.ts';
import type { KeySource } from './key-source.ts';

/** Nobody makes us read the keys more often by sending unknown key ids. */
const refreshAtMostEveryMs = 10_000;

/** How soon a key that the issuer no longer shows is dropped. */
const refreshEveryMs = 60_000;

/** An API server that does not answer holds up those with an unknown key id for no longer. */
const answerWithinMs = 5_000;

/** How long keys that cannot be read again are believed, when nothing longer is asked for. */
const leastGoodForMs = 3_600_000;

export interface TokenKeysOptions {
  readonly source: KeySource;
  /** How long the watch is believed without proof of life: an operator who wants it to hold out for longer wants that of the keys too. */
  readonly maxStalenessMs: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
}

/** What a token can be judged by: the keys, and whose they are. */
export interface IssuerKeys {
  readonly issuer: string;
  readonly keys: ReadonlyMap<string, TokenKey>;
}

/**
 * The keys of the token issuer by id: read again every minute, and when a token names one that is not known. Those
 * that the issuer no longer shows are dropped; when it cannot be asked, the old ones stay for a while.
 */
export class TokenKeys {
  readonly #options: TokenKeysOptions;
  readonly #goodForMs: number;
  #current: IssuerKeys | undefined;
  #readAt: Moment | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshedAt: Moment['elapsed'] = Number.NEGATIVE_INFINITY;
  /** Why the last refresh failed. */
  #failure: string | undefined;

  constructor(options: TokenKeysOptions) {
    this.#options = options;
    this.#goodForMs = Math.max(leastGoodForMs, options.maxStalenessMs);
  }

  /** Undefined while nothing was read, or what was read is too old to be believed. */
  get current(): IssuerKeys | undefined {
    const age = this.#options.elapsed() - (this.#readAt?.elapsed ?? Number.NEGATIVE_INFINITY);
    return age <= this.#goodForMs ? this.#current : undefined;
  }

  /** Milliseconds since the epoch; undefined before the first time. */
  get readAt(): number | undefined {
    return this.#readAt?.wall;
  }

  /** Why nobody can say whether there are newer keys; undefined when the last refresh went well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Why no token can be judged yet; once keys were read, their age never takes readiness away. */
  notReady(): string | undefined {
    if (this.#current !== undefined) return undefined;
    return `the keys of tokens were not read yet${this.#failure === undefined ? '' : `: ${this.#failure}`}`;
  }

  /** Reads the keys again unless that was tried just now. Never throws: what came of it is told by `current` and `failure`. */
  refresh(): Promise<void> {
    const { elapsed } = this.#options;
    if (this.#refreshing !== undefined) return this.#refreshing;
    if (elapsed() - this.#refreshedAt < refreshAtMostEveryMs) return Promise.resolve();
    this.#refreshedAt = elapsed();
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Keeps the keys new until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = this.#failure === undefined ? refreshEveryMs : refreshAtMostEveryMs;
      await pause(waitMs, signal);
      if (!signal.aborted) await this.refresh();
    }
  }

  async #read(): Promise<void> {
    const { source } = this.#options;
    try {
      const { issuer, set } = await within({ ms: answerWithinMs, late }, (signal) => source.read(signal));
      const read = readKeySet(set);
      if (!read.ok) throw new GatehouseError('unavailable', read.problems.map(printProblem).join('; '));
      this.#take({ issuer, keys: read.value.keys }, read.value.passedOver);
    } catch (error) {
      this.#keep(error);
    }
  }

  #take(next: IssuerKeys, passedOver: readonly string[]): void {
    const { log, now, elapsed, source } = this.#options;
    const before = [...(this.#current?.keys.keys() ?? [])];
    const added = [...next.keys.keys()].filter((id) => !before.includes(id));
    const dropped = before.filter((id) => !next.keys.has(id));
    const { issuer } = next;
    if (this.#failure !== undefined) log.info({ source: source.name }, 'the token keys can be read again');
    if (added.length + dropped.length > 0 || issuer !== this.#current?.issuer) {
      log.info({ issuer, added, dropped, passedOver }, 'the token keys have changed');
    }
    this.#current = next;
    this.#readAt = { wall: now(), elapsed: elapsed() };
    this.#failure = undefined;
  }

  /** One line for a row of failures; those that follow are in the metrics. */
  #keep(error: unknown): void {
    const { log, source, now, elapsed } = this.#options;
    const isNews = this.#failure === undefined;
    this.#failure = error instanceof Error ? error.message : String(error);
    if (!isNews) return;
    const about = { err: error, source: source.name };
    if (this.#current === undefined) log.error(about, 'the token keys cannot be read: no token is believed');
    else {
      const left = (this.#readAt?.elapsed ?? 0) + this.#goodForMs - elapsed();
      const until = new Date(now() + left).toISOString();
      log.warn(about, `the token keys cannot be read: the old ones stay in use until ${until}`);
    }
  }
}

const late = (): GatehouseError =>
  new GatehouseError('unavailable', `no answer within ${answerWithinMs / 1000} s`);
