import type { Moment } from '@gatehouse/core/moment';
import { printSpan } from '@gatehouse/core/time-span';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { pause } from './pause.ts';

export interface ClockWatchOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly moment: () => Moment;
  /** Resolves early when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const lookEveryMs = 1_000;

/** Clocks are slewed by less than a millisecond a second; what is more was set. Certificates allow for twenty seconds. */
const leastJumpMs = 1_000;

/**
 * Sees when the wall clock jumps: set by hand or by NTP, or a machine that has slept. Timers run on the other clock, so
 * anyone who waits for a date is woken to look again. Run it as a long task; it ends only with its signal.
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  readonly #jumps: ReturnType<typeof jumpCounter>;
  readonly #listeners: (() => void)[] = [];

  constructor(options: ClockWatchOptions) {
    this.#options = options;
    this.#jumps = jumpCounter(options.metrics);
  }

  /** `look` is called after each jump, with the new time on the clock. */
  onJump(look: () => void): void {
    this.#listeners.push(look);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { moment, sleep = pause } = this.#options;
    let before = moment();
    while (!signal.aborted) {
      await sleep(lookEveryMs, signal);
      const now = moment();
      const byMs = now.wall - before.wall - (now.elapsed - before.elapsed);
      before = now;
      if (!signal.aborted && Math.abs(byMs) >= leastJumpMs) this.#tell(byMs);
    }
  }

  #tell(byMs: number): void {
    const [direction, what] =
      byMs < 0 ? (['back', 'was set back'] as const) : (['forward', 'jumped forward'] as const);
    this.#jumps.inc({ direction });
    this.#options.log.warn({ byMs: Math.round(byMs) }, `the clock ${what} by ${printSpan(Math.abs(byMs))}`);
    for (const look of this.#listeners) look();
  }
}

const jumpCounter = (metrics: Metrics) =>
  metrics.counter({
    name: 'gatehouse_clock_jumps_total',
    help: 'How often the wall clock of this process was set, or its machine slept, by direction: back or forward.',
    labelNames: ['direction'],
  });
