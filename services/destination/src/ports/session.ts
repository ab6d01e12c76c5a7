import type { Answers, Compile, Held } from '@gatehouse/core/dependency/answers';
import type { OpenStream, Sender } from '@gatehouse/platform/service/open-streams';

/** What a session needs of a stream, whichever method it answers. */
export interface Stream extends Sender {
  /** Sends the first message; from then on `advance` sends what is new. */
  admit(): void;
  advance(): void;
}

/** The answers that one call waits on while it is open. */
export class Session {
  readonly #answers: Answers;
  readonly #held: Held<unknown>[] = [];
  #stream: Stream | undefined;

  /** Ends with the call. */
  constructor(answers: Answers, call: Pick<OpenStream, 'holds'>) {
    this.#answers = answers;
    call.holds(() => this.#end());
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
