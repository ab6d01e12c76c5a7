import type { Outcome, Tally } from './messages.ts';

/** Steady traffic: one call every `everyMs`, and what came of them. */
export class Load {
  readonly #timer: NodeJS.Timeout;
  readonly #pending = new Set<Promise<void>>();
  readonly #outcomes: Record<string, number> = {};
  readonly #reasons: string[] = [];

  constructor(everyMs: number, call: () => Promise<Outcome>) {
    const started = Date.now();
    this.#timer = setInterval(() => {
      const one = call().then((outcome) => {
        const word = outcome.kind === 'answered' ? `${outcome.status}` : outcome.kind;
        this.#outcomes[word] = (this.#outcomes[word] ?? 0) + 1;
        if (word !== '200' && word !== 'echoed' && this.#reasons.length < 20) {
          const why = 'reason' in outcome ? `: ${outcome.reason}` : '';
          this.#reasons.push(`${word} after ${Date.now() - started} ms${why}`);
        }
        this.#pending.delete(one);
      });
      this.#pending.add(one);
    }, everyMs);
  }

  async end(): Promise<Tally> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    return { outcomes: this.#outcomes, reasons: this.#reasons };
  }
}
