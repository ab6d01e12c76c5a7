import { type FSWatcher, watch } from 'node:fs';
import { pause } from '../process/pause.ts';

/** Events come in swarms; the folder is not walked more often than this. */
const leastWaitMs = 10;

/**
 * Wakes anyone who waits when something in the watched directories moves. Events get lost and come early, so they carry no
 * meaning but "look again"; the caller looks again anyway after some time.
 */
export class FolderWatch {
  /** Without a watcher where there can be none; that is told once. */
  readonly #watchers = new Map<string, { readonly id: string; readonly watcher: FSWatcher | undefined }>();
  readonly #onTrouble: (directory: string, error: unknown) => void;
  readonly #concerns: (directory: string, name: string) => boolean;
  #stirred = false;
  #wake: AbortController | undefined;

  /** `onTrouble` hears of each directory once that cannot be watched; `concerns` may say that a name in it is of no interest. */
  constructor(
    onTrouble: (directory: string, error: unknown) => void,
    concerns: (directory: string, name: string) => boolean = () => true,
  ) {
    this.#onTrouble = onTrouble;
    this.#concerns = concerns;
  }

  /**
   * Watches exactly these directories: absolute paths, each with what tells it from an older one of the same name. One
   * whose watcher could not be made, or died, is tried again.
   */
  follow(directories: ReadonlyMap<string, string>): void {
    for (const [directory, { id }] of this.#watchers) {
      if (directories.get(directory) !== id) this.#end(directory);
    }
    for (const [directory, id] of directories) {
      if (this.#watchers.get(directory)?.watcher === undefined) this.#begin(directory, id);
    }
  }

  /**
   * Resolves after `ms`, or sooner, to true, when something has stirred since the last call; at once when the signal
   * aborts.
   */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    await pause(leastWaitMs, signal);
    if (!this.#stirred && ms > leastWaitMs) {
      this.#wake = new AbortController();
      await pause(ms - leastWaitMs, AbortSignal.any([signal, this.#wake.signal]));
      this.#wake = undefined;
    }
    const hasStirred = this.#stirred;
    this.#stirred = false;
    return hasStirred;
  }

  close(): void {
    this.follow(new Map());
  }

  #begin(directory: string, id: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === null || this.#concerns(directory, name)) this.#stir();
      });
      watcher.on('error', (error) => {
        watcher.close();
        this.#giveUp(directory, id, error);
      });
      this.#watchers.set(directory, { id, watcher });
      // Whatever happened between the walk and now made no event.
      this.#stir();
    } catch (error) {
      this.#giveUp(directory, id, error);
    }
  }

  #giveUp(directory: string, id: string, error: unknown): void {
    const wasTold = this.#watchers.get(directory)?.watcher === undefined && this.#watchers.has(directory);
    this.#watchers.set(directory, { id, watcher: undefined });
    if (!wasTold) this.#onTrouble(directory, error);
  }

  #end(directory: string): void {
    this.#watchers.get(directory)?.watcher?.close();
    this.#watchers.delete(directory);
  }

  #stir(): void {
    this.#stirred = true;
    this.#wake?.abort();
  }
}
