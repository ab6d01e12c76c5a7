import { printHostPort } from '@gatehouse/core/host-port';
import type { StreamFacts } from '../admin/streams.ts';
import type { Peer, Status, StreamCall } from '../grpc/transport.ts';

/** What a stream asks for, as the service that answers it has read its request. */
export type Asked<M extends string> = Pick<StreamFacts, 'target' | 'claimedNamespace'> & {
  readonly method: M;
};

/** Whatever writes the messages of a stream, and so knows what its client has. */
export interface Versioned {
  /** Hash of what was sent last, worked out on demand; undefined before the first message. */
  readonly version: string | undefined;
}

/** The streams of a service that are open and what was sent on them, for `/v1/streams` and the metrics. */
export class OpenStreams<M extends string> {
  readonly #messages: Map<string, number>;
  readonly #open = new Set<OpenStream>();
  readonly #now: () => number;
  #opened = 0;

  /** `now` in epoch milliseconds. */
  constructor(methods: readonly M[], now: () => number) {
    this.#messages = new Map(methods.map((method) => [method, 0]));
    this.#now = now;
  }

  /** Messages handed to the transport so far, refreshes of quiet streams included, by method. */
  get messages(): ReadonlyMap<string, number> {
    return this.#messages;
  }

  /** Open streams by method; also those methods that have none. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map([...this.#messages.keys()].map((method) => [method, 0]));
    for (const { method } of this.#open) counts.set(method, (counts.get(method) ?? 0) + 1);
    return counts;
  }

  /** Follows a call until its signal aborts. The caller must send on the stream that comes back, or it is not counted. */
  follow(call: StreamCall, asked: Asked<M>): OpenStream {
    this.#opened += 1;
    const opened = { ...asked, call, id: `${this.#opened}`, openedAt: this.#now() };
    const stream = new OpenStream(opened, this.#countMessage);
    // A client may have left before its call was looked at; such a signal tells nobody any more.
    if (call.signal.aborted) {
      stream.over();
      return stream;
    }
    this.#open.add(stream);
    const over = (): void => {
      this.#open.delete(stream);
      stream.over();
    };
    call.signal.addEventListener('abort', over, { once: true });
    return stream;
  }

  *facts(): Generator<StreamFacts> {
    for (const stream of this.#open) yield stream.facts;
  }

  /** Returns when the message was sent. One function for all streams, which are many. */
  readonly #countMessage = (method: string): number => {
    this.#messages.set(method, (this.#messages.get(method) ?? 0) + 1);
    return this.#now();
  };
}

interface Opened extends Asked<string> {
  readonly call: StreamCall;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly openedAt: number;
}

/** A call that remembers what went out on it, and lets go of what it held when it is over. */
export class OpenStream implements StreamCall {
  readonly #opened: Opened;
  readonly #countMessage: (method: string) => number;
  #sender: Versioned | undefined;
  #sentAt: number | undefined;
  #sentBytes = 0;
  /** Undefined once the stream is over. */
  #held: (() => void)[] | undefined = [];
  /** Called whenever everything that was sent has left the process. */
  onLeft: () => void = () => {};

  constructor(opened: Opened, countMessage: (method: string) => number) {
    this.#opened = opened;
    this.#countMessage = countMessage;
  }

  get method(): string {
    return this.#opened.method;
  }

  /** When it was sent a message last, by the clock of the registry; undefined before the first. */
  get sentAt(): number | undefined {
    return this.#sentAt;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  get facts(): StreamFacts {
    const { id, method, target, claimedNamespace, openedAt } = this.#opened;
    const { address, port, identity } = this.peer;
    return {
      id,
      method,
      target,
      peer: printHostPort({ host: address, port }),
      identity,
      claimedNamespace,
      openedAt,
      version: this.#sender?.version,
      sentAt: this.#sentAt,
    };
  }

  /** Says who sends on this stream, and so which version its client has. */
  sentBy(sender: Versioned): void {
    this.#sender = sender;
  }

  /** Has `release` called once, when the stream is over: at once if it already is. */
  holds(release: () => void): void {
    if (this.#held === undefined) release();
    else this.#held.push(release);
  }

  /** For the registry: the client has left, or the stream was ended. */
  over(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const release of held) release();
  }

  get request(): Uint8Array {
    return this.#opened.call.request;
  }

  get peer(): Peer {
    return this.#opened.call.peer;
  }

  get signal(): AbortSignal {
    return this.#opened.call.signal;
  }

  send(message: Uint8Array): boolean {
    this.#sentAt = this.#countMessage(this.method);
    this.#sentBytes += message.length;
    return this.#opened.call.send(message);
  }

  onWritable(listener: () => void): void {
    this.#opened.call.onWritable(() => {
      this.onLeft();
      listener();
    });
  }

  end(status?: Status): void {
    this.#opened.call.end(status);
  }
}
