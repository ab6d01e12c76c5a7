import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { Source } from '@gatehouse/platform/kube/source';

/** Runs a source and remembers what it said. Waiting is for a state, never for a time; anyone who waits in vain waits for the test's timeout. */
export class SourceObserver {
  readonly batches: (readonly Change[])[] = [];
  readonly index = new ResourceIndex();
  /** Settles as the source's `run` does. */
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();

  constructor(source: Source, kinds: readonly Kind[]) {
    this.ended = source.run(
      kinds,
      (changes) => {
        this.batches.push(changes);
        this.index.apply(changes);
        for (const look of [...this.#waiting]) look();
      },
      this.#stop.signal,
    );
  }

  get changes(): readonly Change[] {
    return this.batches.flat();
  }

  /** Resolves once the condition holds; rejects when the source ends before. */
  async until(holds: (index: ResourceIndex) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!holds(this.index)) return;
      this.#waiting.delete(look);
      resolve();
    };
    this.#waiting.add(look);
    look();
    const ended = this.ended.then(() => {
      if (this.#waiting.has(look)) throw new Error('the source ended before what was waited for');
    });
    await Promise.race([promise, ended]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }
}
