import type { LoadTally, Outcome } from './messages.ts';

/** More than that wait for a machine that is too slow for the rate, and would only make it slower. */
const mostPending = 10;

/**
 * Steady traffic: one call every `everyMs`, and what came of them. Timers come late on a busy machine, so calls are
 * made as many at a time as are due; those that are due while too many others wait are left out.
 */
export class Load {
  readonly #timer: NodeJS.Timeout;
  readonly #started = performance.now();
  readonly #pending = new Set<Promise<void>>();
  readonly #outcomes: Record<string, number> = {};
  readonly #reasons: string[] = [];

  constructor(everyMs: number, call: () => Promise<Outcome>) {
    let made = 0;
    const makeOne = (): void => {
      made += 1;
      if (this.#pending.size >= mostPending) return;
      const one = call().then((outcome) => {
        const word = outcome.kind === 'answered' ? `${outcome.status}` : outcome.kind;
        this.#outcomes[word] = (this.#outcomes[word] ?? 0) + 1;
        if (word !== '200' && word !== 'echoed' && this.#reasons.length < 20) {
          const why = 'reason' in outcome ? `: ${outcome.reason}` : '';
          this.#reasons.push(`${word} after ${this.#ms()} ms${why}`);
        }
        this.#pending.delete(one);
      });
      this.#pending.add(one);
    };
    this.#timer = setInterval(() => {
      while (made * everyMs <= this.#ms()) makeOne();
    }, everyMs);
  }

  async end(): Promise<LoadTally> {
    clearInterval(this.#timer);
    const ms = this.#ms();
    await Promise.all(this.#pending);
    return { outcomes: this.#outcomes, ms, reasons: this.#reasons };
  }

  #ms(): number {
    return Math.round(performance.now() - this.#started);
  }
}
