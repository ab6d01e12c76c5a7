import type { Moment } from '@gatehouse/core/moment';
import { pageOf } from '@gatehouse/platform/http/page';
import { pause } from '@gatehouse/platform/process/pause';
import type { PeerQuestion, Replicas } from '@gatehouse/platform/replicas/replicas';
import { Compile } from 'typebox/compile';
import type { IssuanceRecord } from '../../core/issued/issuance-record.ts';
import { IssuanceItem, readItem } from '../rest/issuance-item.ts';

export interface KeysElsewhereOptions {
  readonly replicas: Pick<Replicas, 'ask'>;
  readonly learn: (record: IssuanceRecord) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
  /** How often the others are asked. Default: 15 s, and sooner at the start. */
  readonly everyMs?: number;
}

interface Page {
  readonly items: readonly IssuanceItem[];
  readonly continue?: string;
}

const validator = Compile(pageOf(IssuanceItem));

const question: PeerQuestion<Page> = {
  path: 'certificates',
  read: (answer) => (validator.Check(answer) ? (answer as Page) : undefined),
};

/** What a page may hold at most, and how many are asked for at once: all that a replica remembers. */
const pageLimit = 1_000;
const mostPages = 20;

/** The waits before the first polls. */
const firstPollsMs = [1_000, 2_000, 5_000];

/** At the start: proxies renew within a day. */
const historyMs = 86_400_000;
/** Clocks differ, and records appear a moment after their time. Learning twice does nothing. */
const overlapMs = 60_000;
/** Of a replica that could not be asked for longer, older certificates are not asked for again with each poll. */
const longestGapMs = 600_000;

/**
 * Learns what the other replicas have certified. A proxy asks any replica, so one alone would take the older key of a pod for a new
 * one; and what a replica issued is still asked about when it is gone.
 */
export class KeysElsewhere {
  readonly #options: KeysElsewhereOptions;
  #since: number;
  #polledAt: Moment;

  constructor(options: KeysElsewhereOptions) {
    this.#options = options;
    this.#polledAt = { wall: options.now(), elapsed: options.elapsed() };
    this.#since = this.#polledAt.wall - historyMs;
  }

  /** Asks until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = 15_000 } = this.#options;
    for (let polls = 0; !signal.aborted; polls += 1) {
      // Not at once, since a replica without a certificate does not answer; but in a rollout the others are gone soon after we are ready.
      await pause(Math.min(firstPollsMs[polls] ?? everyMs, everyMs), signal);
      if (!signal.aborted) await this.poll();
    }
  }

  /** Asks all others once for what is new. */
  async poll(): Promise<void> {
    const { replicas, learn, now, elapsed } = this.#options;
    const began = now();
    const moment = { wall: began, elapsed: elapsed() };
    // By a clock that was set since, `#since` names another time than was meant: what was issued meanwhile would be missed.
    if (hasJumped(this.#polledAt, moment)) this.#since = began - historyMs;
    this.#polledAt = moment;
    let until: number | undefined;
    let isWhole = true;
    for (let page = 0; page < mostPages; page += 1) {
      const { answers, partial } = await replicas.ask(question, {
        since: new Date(this.#since).toISOString(),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
        limit: pageLimit,
      });
      isWhole &&= partial.length === 0;
      for (const { replica, answer } of answers)
        for (const item of answer.items) learn({ learnedFrom: replica, ...readItem(item) });
      // Newest first: who has more goes on below the oldest that it said, with those of the same millisecond again.
      const unfinished = answers.filter(({ answer }) => answer.continue !== undefined);
      const oldest = unfinished.map(({ answer }) => Date.parse(answer.items.at(-1)?.issuedAt ?? '') + 1);
      const next = Math.max(...oldest);
      if (!Number.isFinite(next) || next === until) break;
      until = next;
    }
    this.#since = isWhole ? began - overlapMs : Math.max(this.#since, began - longestGapMs);
  }
}

/** By more than what is asked for twice anyway. */
const hasJumped = (before: Moment, after: Moment): boolean =>
  Math.abs(after.wall - before.wall - (after.elapsed - before.elapsed)) > overlapMs / 2;
