import type { Moment } from '../moment.ts';
import { TokenBucket } from '../token-bucket.ts';

/** Something that happened, as an Event of Kubernetes tells it. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** Why, in one CamelCase word that programs and people can search for: `IssuerRejected`. */
  readonly reason: string;
  /** What was being done, in one CamelCase word: `ReadIssuer`. */
  readonly action: string;
  /** For people. Anyone who may list Events reads it: it holds no secret. */
  readonly note: string;
  /** What it is about; absent = the service that tells it. */
  readonly regarding?: EventObject;
}

/** What an Event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

/** The same note again and again is one Event with a count (events.k8s.io/v1, `series`). */
export interface EventSeries {
  readonly event: EventNote;
  readonly count: number;
  /** Epoch milliseconds. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The name under which the API server has it; undefined until then. */
  readonly name: string | undefined;
}

export type NextStep =
  | { readonly kind: 'send'; readonly series: EventSeries }
  /** Nothing may be sent for so many milliseconds; Infinity = until something is noted. */
  | { readonly kind: 'wait'; readonly ms: number };

/** What sending came to. */
export type SendOutcome =
  | { readonly kind: 'sent'; readonly name: string }
  /** The API server does not have it any more: Events live an hour. */
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'failed' }
  /** Trying again would not help. */
  | { readonly kind: 'refused' };

export const eventLimits = {
  /** Different notes that may wait to be sent; more are dropped, and counted. */
  waiting: 64,
  /** Series that are remembered, so that what repeats is counted and not told again. */
  remembered: 256,
  /** A note that was not repeated for so long begins a new series, as client-go has it. */
  seriesEndMs: 6 * 60_000,
  /** How often a series that goes on is brought up to date. */
  refreshMs: 60_000,
  /** Requests at once, and then one each ten seconds: a control plane in trouble must not add to it. */
  rate: { burst: 25, perSecond: 0.1 },
  /** After so many failures in a row a note is given up. */
  attempts: 8,
  firstBackoffMs: 1_000,
  maxBackoffMs: 60_000,
} as const;

interface Entry {
  series: EventSeries;
  /** The count that the API server knows. */
  told: number;
  /** On the clock that only goes forward, as every other time here but those that are told. */
  notedAt: Moment['elapsed'];
  /** Not before. */
  dueAt: Moment['elapsed'];
  failures: number;
}

/** Which notes are to be sent, when, and as what. Knows no clock: every call says what time it is. */
export class PendingEvents {
  readonly #entries = new Map<string, Entry>();
  readonly #rate: TokenBucket;

  /** `rate`: how many requests at once, and how many a second then. */
  constructor(rate: { readonly burst: number; readonly perSecond: number } = eventLimits.rate) {
    this.#rate = new TokenBucket(rate);
  }

  /** Takes a note. False = too many others wait, and it is dropped. */
  note(event: EventNote, { wall, elapsed }: Moment): boolean {
    const { type, reason, action, note, regarding } = event;
    const key = JSON.stringify([type, reason, action, note, regarding]);
    const entry = this.#entries.get(key);
    if (entry !== undefined && (isWaiting(entry) || elapsed - entry.notedAt <= eventLimits.seriesEndMs)) {
      entry.series = { ...entry.series, count: entry.series.count + 1, lastAt: wall };
      entry.notedAt = elapsed;
      return true;
    }
    if ([...this.#entries.values()].filter(isWaiting).length >= eventLimits.waiting) return false;
    this.#entries.delete(key);
    this.#forgetOldest();
    const series = { event, count: 1, firstAt: wall, lastAt: wall, name: undefined };
    this.#entries.set(key, { series, told: 0, notedAt: elapsed, dueAt: elapsed, failures: 0 });
    return true;
  }

  /** What to do now; after `send` the caller says with `done` what came of it. */
  next(now: Moment['elapsed']): NextStep {
    const waiting = [...this.#entries.values()].filter(isWaiting).sort((a, b) => a.dueAt - b.dueAt);
    const [first] = waiting;
    if (first === undefined) return { kind: 'wait', ms: Number.POSITIVE_INFINITY };
    if (first.dueAt > now) return { kind: 'wait', ms: first.dueAt - now };
    const waitMs = this.#rate.take(now);
    return waitMs > 0 ? { kind: 'wait', ms: Math.ceil(waitMs) } : { kind: 'send', series: first.series };
  }

  /** `series` is what `next` gave; repetitions noted meanwhile are sent later. */
  done(series: EventSeries, outcome: SendOutcome, now: Moment['elapsed']): void {
    const found = [...this.#entries].find(([, { series: known }]) => known.event === series.event);
    if (found === undefined) return;
    const [key, entry] = found;
    switch (outcome.kind) {
      case 'sent':
        entry.series = { ...entry.series, name: outcome.name };
        entry.told = series.count;
        entry.dueAt = now + eventLimits.refreshMs;
        entry.failures = 0;
        break;
      case 'forgotten':
        entry.series = { ...entry.series, name: undefined };
        break;
      case 'failed': {
        entry.failures += 1;
        const backoff = eventLimits.firstBackoffMs * 2 ** (entry.failures - 1);
        entry.dueAt = now + Math.min(backoff, eventLimits.maxBackoffMs);
        if (entry.failures >= eventLimits.attempts) this.#entries.delete(key);
        break;
      }
      case 'refused':
        this.#entries.delete(key);
    }
  }

  /** The map is in order of first notes; what waits stays, and is bounded by itself. */
  #forgetOldest(): void {
    if (this.#entries.size < eventLimits.remembered) return;
    for (const [key, entry] of this.#entries) {
      if (isWaiting(entry)) continue;
      this.#entries.delete(key);
      return;
    }
  }
}

const isWaiting = ({ series, told }: Entry): boolean => series.count > told;
