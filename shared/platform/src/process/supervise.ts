import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import type { Log } from '../log/log.ts';
import { within } from './within.ts';

/** How a supervised whole came to its end. */
export type Ended =
  | { readonly kind: 'stopped'; readonly reason: string }
  /** `task` ended without having been asked to; `error` says why (a plain return is an error too). */
  | { readonly kind: 'failed'; readonly task: string; readonly error: GatehouseError };

export interface SupervisorOptions {
  readonly log: Log;
  /** How long closing everything may take before what is left is named in the log and given up. Default: 10 s. */
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
  readonly #tasks = new Set<{ readonly task: string; readonly over: Promise<void> }>();
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];
  readonly #ended = Promise.withResolvers<Ended>();
  #closing = '';

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
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const running = { task, over };
    this.#tasks.add(running);
    void this.#watch(task, work).then(() => {
      this.#tasks.delete(running);
      resolve();
    });
  }

  /** Has `close` called at the end, last opened first, after the tasks were aborted. */
  onEnd(name: string, close: () => Promise<void> | void): void {
    this.#closers.push({ name, close });
    // Opened while the end was already on its way: anyone who closes everything may have passed this point.
    if (this.signal.aborted) void this.#closeAll();
  }

  /**
   * Builds the whole step by step; a step that throws ends what the steps before it opened, and the error goes on to
   * the caller. So does the failure of a task that ended while the rest was still being built.
   */
  async build<T>(steps: () => Promise<T>): Promise<T> {
    try {
      const built = await steps();
      if (!this.signal.aborted) return built;
    } catch (error) {
      await this.stop('the start failed');
      throw error;
    }
    const ended = await this.ended;
    throw ended.kind === 'failed' ? ended.error : new GatehouseError('cancelled', ended.reason);
  }

  /** Ends everything; resolves when it is closed. Safe to call again. */
  async stop(reason: string): Promise<void> {
    if (!this.signal.aborted) void this.#end({ kind: 'stopped', reason });
    await this.ended;
  }

  async #watch(task: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    let error: unknown = new GatehouseError('internal', `${task} ended by itself`);
    try {
      await work(this.signal);
    } catch (thrown) {
      error = thrown;
    }
    if (this.signal.aborted) return;
    this.#log.error({ err: error, task }, 'a task ended unasked');
    void this.#end({ kind: 'failed', task, error: asGatehouseError(error) });
  }

  async #end(ended: Ended): Promise<void> {
    this.#abort.abort(new GatehouseError('cancelled', ended.kind === 'stopped' ? ended.reason : ended.task));
    const close = async (): Promise<void> => {
      await this.#closeAll();
      await Promise.all([...this.#tasks].map(({ over }) => over));
    };
    await within({ ms: this.#graceMs }, close).catch(() =>
      this.#log.error(
        { closing: this.#closing, tasks: [...this.#tasks].map(({ task }) => task) },
        'gave up waiting for the end',
      ),
    );
    this.#ended.resolve(ended);
  }

  async #closeAll(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      this.#closing = next.name;
      try {
        await next.close();
      } catch (error) {
        this.#log.error({ err: error, part: next.name }, 'closing failed');
      }
    }
    this.#closing = '';
  }
}
