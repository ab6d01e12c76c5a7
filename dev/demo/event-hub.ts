import { GatehouseError } from '@gatehouse/core/error';
import { type LoggedEvent, readEvent } from '../proxy/event-log.ts';

/** One event of one pod's proxy. */
export interface PodEvent {
  readonly pod: string;
  readonly event: LoggedEvent;
}

type Kinds = LoggedEvent['event'];
export type EventOf<K extends Kinds> = Extract<LoggedEvent, { readonly event: K }>;

/** How much is kept: enough for any step, while a mesh that stays up for days does not grow. */
const kept = 2_000;

/** Remembers what the proxies told, and lets the story wait for what it expects them to tell. */
export class EventHub {
  readonly #events: PodEvent[] = [];
  readonly #listeners = new Set<(event: PodEvent) => void>();

  /** Takes a line of a proxy's standard output; anything that is not an event is passed over (it is in the log file). */
  take(pod: string, line: string): void {
    const event = readEvent(line);
    if (event === undefined) return;
    this.#events.push({ pod, event });
    if (this.#events.length > 2 * kept) this.#events.splice(0, kept);
    for (const listener of this.#listeners) listener({ pod, event });
  }

  /** All that `pod` told of one kind since `since` (epoch ms), oldest first. */
  of<K extends Kinds>(
    kind: K,
    { pod, since }: { readonly pod: string; readonly since: number },
  ): readonly EventOf<K>[] {
    return this.#events
      .filter((told) => told.pod === pod && told.event.event === kind && told.event.at >= since)
      .map((told) => told.event as EventOf<K>);
  }

  /** The first event, told already or yet to come, that `match` accepts. Rejects with `deadline-exceeded` naming `what`. */
  async first(
    what: string,
    match: (event: PodEvent) => boolean,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<PodEvent> {
    const past = this.#events.find(match);
    if (past !== undefined) return past;
    const { promise, resolve, reject } = Promise.withResolvers<PodEvent>();
    const listener = (event: PodEvent): void => {
      if (match(event)) resolve(event);
    };
    const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    over.addEventListener('abort', () =>
      reject(
        signal.aborted
          ? new GatehouseError('cancelled', `interrupted while waiting for ${what}`)
          : new GatehouseError('deadline-exceeded', `waited ${timeoutMs / 1000} s in vain for ${what}`),
      ),
    );
    this.#listeners.add(listener);
    return promise.finally(() => this.#listeners.delete(listener));
  }
}
