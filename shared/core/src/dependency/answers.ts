import { Readers } from './readers.ts';

/** An answer, and the facts that it was made of: when one of those changes it is stale (see kind-facts.ts). */
export interface Compiled<T> {
  readonly value: T;
  readonly reads: ReadonlySet<string>;
}

/** Makes an answer; it is given the one before, and hands that back when it is still true. */
export type Compile<T> = (previous: T | undefined) => Compiled<T>;

/** One asker's hold on an answer. */
export interface Held<T> {
  /** Current whenever it is looked at. */
  readonly value: T;
  /** Says that this asker waits no more; an answer nobody waits on is forgotten. */
  release(): void;
}

/**
 * The compiled answers that streams wait on, one for all who asked the same. Changes mark what they touch stale;
 * `settle` compiles that again and tells the askers whose answer is another now.
 */
export class Answers {
  readonly #answers = new Map<string, Dependent>();
  readonly #readers = new Readers<Dependent>();
  #stale = new Set<Dependent>();

  /** How many different answers are kept of each kind: what their keys say before the first slash. */
  get kinds(): ReadonlyMap<string, number> {
    const kinds = new Map<string, number>();
    for (const key of this.#answers.keys()) {
      const [kind = ''] = key.split('/', 1);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    return kinds;
  }

  /** `key` must name the question whole: its kind, a slash, and the rest. `onChange` is called by `settle` alone and must not throw. */
  ask<T>(key: string, compile: Compile<T>, onChange: () => void): Held<T> {
    let answer = this.#answers.get(key) as Answer<T> | undefined;
    if (answer === undefined) {
      answer = new Answer(compile, this.#readers);
      this.#answers.set(key, answer);
    }
    return this.#hold(key, answer, { onChange });
  }

  /** Marks stale whatever was made of one of these facts. */
  touch(facts: Iterable<string>): void {
    for (const fact of facts) {
      for (const answer of this.#readers.of(fact)) {
        answer.isStale = true;
        this.#stale.add(answer);
      }
    }
  }

  settle(): void {
    const stale = this.#stale;
    this.#stale = new Set();
    for (const answer of stale) answer.tell();
  }

  #hold<T>(key: string, answer: Answer<T>, asker: Asker): Held<T> {
    answer.askers.add(asker);
    return {
      get value() {
        return answer.current();
      },
      release: () => {
        if (!answer.askers.delete(asker) || answer.askers.size > 0) return;
        this.#answers.delete(key);
        this.#stale.delete(answer);
        answer.forget();
      },
    };
  }
}

interface Asker {
  onChange(): void;
}

/** An answer as those see it who do not care what it says. */
interface Dependent {
  isStale: boolean;
  tell(): void;
}

class Answer<T> implements Dependent {
  readonly askers = new Set<Asker>();
  readonly #compile: Compile<T>;
  readonly #readers: Readers<Dependent>;
  #value: T | undefined;
  /** What the askers know: the first answer, which each looked at itself, or the one they were last told of. */
  #told: { readonly value: T } | undefined;
  #reads: ReadonlySet<string> = new Set();
  isStale = true;

  constructor(compile: Compile<T>, readers: Readers<Dependent>) {
    this.#compile = compile;
    this.#readers = readers;
  }

  current(): T {
    if (this.isStale) {
      const { value, reads } = this.#compile(this.#value);
      this.#readers.move(this, this.#reads, reads);
      this.#reads = reads;
      this.#value = value;
      this.#told ??= { value };
      this.isStale = false;
    }
    return this.#value as T;
  }

  /** Anyone who looked since the change has the answer already and is told again: they see that nothing is new. */
  tell(): void {
    const value = this.current();
    if (value === this.#told?.value) return;
    this.#told = { value };
    for (const { onChange } of this.askers) onChange();
  }

  forget(): void {
    this.#readers.move(this, this.#reads, new Set());
    this.#reads = new Set();
    this.isStale = true;
  }
}
