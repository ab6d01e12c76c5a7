import type { Answers, Compile, Held } from '@gatehouse/core/dependency/answers';

/** What a session needs of a stream, whichever method it answers. */
export interface Stream {
  /** Sends the first message; from then on `advance` sends what is new. */
  admit(): void;
  advance(): void;
  /** What the proxy was sent, hashed; undefined before the first message. */
  readonly version: string | undefined;
}

/** The answers that one call waits on while it is open. */
export class Session {
  readonly #answers: Answers;
  readonly #held: Held<unknown>[] = [];
  #stream: Stream | undefined;

  /** Ends when the signal aborts. */
  constructor(answers: Answers, signal: AbortSignal) {
    this.#answers = answers;
    signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Holds an answer until the end; whenever it changes, the stream advances. */
  ask<T>(question: string, compile: Compile<T>): { readonly value: T } {
    const held = this.#answers.ask(question, compile, () => this.#stream?.advance());
    this.#held.push(held);
    return held;
  }

  begin(stream: Stream): void {
    this.#stream = stream;
  }

  #end(): void {
    this.#stream = undefined;
    for (const held of this.#held.splice(0)) held.release();
  }
}
