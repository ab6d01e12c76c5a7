import process from 'node:process';

/** What the measured process tells the measuring one. */
export type Said =
  | {
      readonly kind: 'listening';
      readonly port: number;
      readonly trustAnchors: string;
      /** Where admission reviews go, if it takes them. */
      readonly reviews?: string;
    }
  | {
      readonly kind: 'used';
      readonly rssBytes: number;
      readonly cpuMs: number;
      /** For how long the event loop did one thing and nothing else, at most, in CPU, since it was asked before. */
      readonly longestMs: number;
    };

export type Order = 'change' | 'use';

const say = (said: Said): void => {
  process.send?.(said);
};

const turnMs = 1;

/**
 * The longest turn of the event loop, in CPU of its thread: while it goes on nobody else is answered. Other processes that
 * take the CPU meanwhile do not count, so the figure holds on a busy machine.
 */
class LongestTurn {
  #before = cpuOfThread();
  #longestMs = 0;

  constructor() {
    // A timer fires once a turn at most.
    setInterval(() => {
      const now = cpuOfThread();
      this.#longestMs = Math.max(this.#longestMs, now - this.#before);
      this.#before = now;
    }, turnMs);
  }

  /** Since it was asked before. */
  take(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }
}

/** In milliseconds. */
const cpuOfThread = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** Tells where this process listens, then does what it is told until its parent leaves. */
export const obey = (listening: Omit<Said & { kind: 'listening' }, 'kind'>, change: () => void): void => {
  const turns = new LongestTurn();
  process.on('message', (order: Order) => {
    if (order === 'change') return change();
    const { user, system } = process.cpuUsage();
    const cpuMs = (user + system) / 1_000;
    say({ kind: 'used', rssBytes: process.memoryUsage().rss, cpuMs, longestMs: turns.take() });
  });
  process.once('disconnect', () => process.exit(0));
  say({ kind: 'listening', ...listening });
};
