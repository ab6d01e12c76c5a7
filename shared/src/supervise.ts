import { asGatehouseError, type GatehouseError } from './error.ts';
import type { Log } from './log.ts';

/** How a supervised whole came to its end. */
export type Ended =
  | { readonly kind: 'stopped'; readonly reason: string }
  /** `task` ended without having been asked to; `error` says why (a plain return is an error too). */
  | { readonly kind: 'failed'; readonly task: string; readonly error: GatehouseError };

export interface SupervisorOptions {
  readonly log: Log;
  /** How long the closing of everything may take before what is left is named in the log and given up. */
  readonly graceMs?: number;
}

/**
 * Owns every long task of a process. The first to end, for whatever reason, ends all: tasks are aborted, then what was
 * opened is closed in reverse order, within a bounded time.
 */
export class Supervisor {
  readonly #log: Log;
  readonly #graceMs: number;
  readonly #abort = new AbortController();
  readonly #tasks = new Map<string, Promise<void>>();
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];
  readonly #ended = Promise.withResolvers<Ended>();
  #stopping = false;

  constructor({ log, graceMs = 10_000 }: SupervisorOptions) {
    this.#log = log;
    this.#graceMs = graceMs;
  }

  /** Aborts when the end begins. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when everything is closed; never rejects. */
  get ended(): Promise<Ended> {
    return this.#ended.promise;
  }

  /** Runs a task that is meant to last until `signal` aborts. */
  run(task: string, work: (signal: AbortSignal) => Promise<void>): void {
    const promise = (async () => {
      let error: unknown = new Error('ended by itself');
      try {
        await work(this.signal);
      } catch (thrown) {
        error = thrown;
      }
      this.#tasks.delete(task);
      if (!this.#stopping) void this.#end({ kind: 'failed', task, error: asGatehouseError(error) });
    })();
    this.#tasks.set(task, promise);
  }

  /** Has `close` called at the end, last opened first, after the tasks were aborted. */
  onEnd(name: string, close: () => Promise<void> | void): void {
    this.#closers.push({ name, close });
  }

  /** Ends everything; resolves when it is closed. Safe to call again. */
  async stop(reason: string): Promise<void> {
    if (!this.#stopping) void this.#end({ kind: 'stopped', reason });
    await this.ended;
  }

  async #end(ended: Ended): Promise<void> {
    this.#stopping = true;
    this.#abort.abort();
    let current = '';
    const all = (async () => {
      for (const { name, close } of this.#closers.reverse()) {
        current = name;
        try {
          await close();
        } catch (error) {
          this.#log.error({ err: error, part: name }, 'closing failed');
        }
      }
      current = 'tasks';
      await Promise.all(this.#tasks.values());
    })();
    const timer = Promise.withResolvers<'late'>();
    const handle = setTimeout(() => timer.resolve('late'), this.#graceMs);
    if ((await Promise.race([all, timer.promise])) === 'late') {
      this.#log.error({ waitingFor: current, tasks: [...this.#tasks.keys()] }, 'gave up waiting for the end');
    }
    clearTimeout(handle);
    this.#ended.resolve(ended);
  }
}
