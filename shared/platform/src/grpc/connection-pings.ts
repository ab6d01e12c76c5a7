import type { ServerHttp2Session } from 'node:http2';

/** A connection that can be asked whether it has read what it was sent. */
export type Pinged = Pick<ServerHttp2Session, 'ping' | 'destroyed'>;

/** A change goes to many connections at once. They are asked so many at a time, so that no stream waits for the PINGs of all. */
const pace = { connections: 50, everyMs: 10 };

interface Asked {
  /** Those that the next PING is for. */
  waiting: (() => void)[];
  isAsked: boolean;
}

/**
 * Finds out by PINGs what clients have read. HTTP/2 keeps the order of a connection, and its peer has to answer a PING (RFC 9113 §6.7):
 * the answer to one that was sent behind a message says that the message has come through every buffer in between. One PING at a
 * time is on its way on each connection, whatever the number of its streams.
 */
export class ConnectionPings {
  readonly #asked = new WeakMap<Pinged, Asked>();
  readonly #due = new Set<Pinged>();
  #timer: NodeJS.Timeout | undefined;

  /** Has `listener` called once the connection has answered a PING that was sent after now; never, if it ends before. */
  ask(connection: Pinged, listener: () => void): void {
    const asked = this.#asked.get(connection) ?? { waiting: [], isAsked: false };
    this.#asked.set(connection, asked);
    asked.waiting.push(listener);
    if (!asked.isAsked) this.#enqueue(connection);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  #enqueue(connection: Pinged): void {
    this.#due.add(connection);
    this.#timer ??= setTimeout(() => this.#turn(), pace.everyMs);
  }

  #turn(): void {
    for (const connection of this.#due.values().take(pace.connections)) {
      this.#due.delete(connection);
      this.#ping(connection);
    }
    this.#timer = this.#due.size === 0 ? undefined : setTimeout(() => this.#turn(), pace.everyMs);
  }

  #ping(connection: Pinged): void {
    const asked = this.#asked.get(connection);
    if (asked === undefined || connection.destroyed) return;
    const listeners = asked.waiting;
    asked.waiting = [];
    asked.isAsked = true;
    connection.ping((error) => {
      asked.isAsked = false;
      // It ended, or is told to go away: nobody will know any more what it has read.
      if (error) return;
      for (const listener of listeners) listener();
      if (asked.waiting.length > 0) this.#enqueue(connection);
    });
  }
}
