import { printHostPort } from '@gatehouse/core/host-port';
import type { Pending, StreamFacts } from '../admin/streams.ts';
import type { Peer, Status, StreamCall } from '../grpc/transport.ts';

/** What a stream asks for, as the service that answers it has read its request. */
export type Asked<M extends string> = Pick<StreamFacts, 'target' | 'claimedNamespace'> & {
  readonly method: M;
};

/** Whatever writes the messages of a stream, and so knows what its client was told. */
export interface Sender {
  /** Of the last message; undefined before the first. */
  readonly said: Said | undefined;
}

/** What a client knows when it has read a message; messages that say the same share it. */
export interface Said {
  /** A hash of it, perhaps worked out on demand. */
  readonly version: string;
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
    const stream = new OpenStream(opened, { countMessage: this.#countMessage, now: this.#now });
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
  readonly #now: () => number;
  #sender: Sender | undefined;
  #sentAt: number | undefined;
  #sentBytes = 0;
  #messages = 0;
  #pending: Pending = 'nothing';
  /** The last of which the connection's answer proves that the client has read it. */
  #delivered: { readonly said: Said; readonly at: number } | undefined;
  /** Undefined once the stream is over. */
  #held: (() => void)[] | undefined = [];
  /** Called whenever everything that was sent has left the process. */
  onLeft: () => void = () => {};

  constructor(
    opened: Opened,
    { countMessage, now }: { readonly countMessage: (method: string) => number; readonly now: () => number },
  ) {
    this.#opened = opened;
    this.#countMessage = countMessage;
    this.#now = now;
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
      version: this.#sender?.said?.version,
      sentAt: this.#sentAt,
      sentBytes: this.#sentBytes,
      pending: this.#pending,
      deliveredVersion: this.#delivered?.said.version,
      deliveredAt: this.#delivered?.at,
    };
  }

  /** Says who sends on this stream, and so which version its client has. */
  sentBy(sender: Sender): void {
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
    this.#messages += 1;
    this.#pending = 'unread';
    const isHeld = !this.#opened.call.send(message);
    if (!isHeld) this.#left();
    return !isHeld;
  }

  onWritable(listener: () => void): void {
    this.#opened.call.onWritable(() => {
      this.#left();
      this.onLeft();
      listener();
    });
  }

  onAnswered(listener: () => void): void {
    this.#opened.call.onAnswered(listener);
  }

  end(status?: Status): void {
    this.#opened.call.end(status);
  }

  /** What was sent last has left the process. It counts as delivered when the connection has answered after that (design §9.1). */
  #left(): void {
    const said = this.#sender?.said;
    if (said === undefined || said === this.#delivered?.said) {
      this.#pending = 'nothing';
      return;
    }
    this.#pending = 'unanswered';
    const messages = this.#messages;
    this.onAnswered(() => {
      this.#delivered = { said, at: this.#now() };
      if (this.#messages === messages) this.#pending = 'nothing';
    });
  }
}
