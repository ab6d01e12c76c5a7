import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Wakes whoever waits when something below the watched directories moves. Events get lost and arrive early, so they
 * carry no meaning but "look again"; a poll looks again anyway.
 */
export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onTrouble: (directory: string, error: unknown) => void;
  #stirred = false;
  #wake: AbortController | undefined;

  constructor(onTrouble: (directory: string, error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Watches exactly these directories. */
  follow(directories: readonly string[]): void {
    const wanted = new Set(directories);
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) if (!this.#watchers.has(directory)) this.#watch(directory);
  }

  /** Resolves after `ms`, when something stirs or has since the last call, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#stirred && !signal.aborted) {
      this.#wake = new AbortController();
      await sleep(ms, undefined, { signal: AbortSignal.any([signal, this.#wake.signal]) }).catch(
        () => undefined,
      );
      this.#wake = undefined;
    }
    this.#stirred = false;
  }

  close(): void {
    this.follow([]);
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#stir());
      watcher.on('error', (error) => this.#drop(directory, error));
      this.#watchers.set(directory, watcher);
    } catch (error) {
      this.#onTrouble(directory, error);
    }
  }

  #drop(directory: string, error: unknown): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
    this.#onTrouble(directory, error);
    this.#stir();
  }

  #stir(): void {
    this.#stirred = true;
    this.#wake?.abort();
  }
}
