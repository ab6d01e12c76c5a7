import { printHostPort } from '@gatehouse/core/host-port';
import type { StreamFacts } from '@gatehouse/platform/admin/streams';
import type { Peer, Status, StreamCall } from '@gatehouse/platform/grpc/transport';

export type MethodName = 'Get' | 'GetProfile';

/** The streams that are open and what was sent on them, for `/v1/streams` and the metrics. */
export class OpenStreams {
  readonly #open = new Map<string, OpenStream>();
  readonly #messages = { Get: 0, GetProfile: 0 };
  readonly #now: () => number;
  #opened = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Messages handed to the transport so far. */
  get messages(): Readonly<Record<MethodName, number>> {
    return this.#messages;
  }

  count(method: MethodName): number {
    let count = 0;
    for (const stream of this.#open.values()) if (stream.method === method) count += 1;
    return count;
  }

  /** Follows a call until its signal aborts; whoever sends on what comes back is counted. */
  follow(
    call: StreamCall,
    { method, ...asked }: Pick<StreamFacts, 'target' | 'claimedNamespace'> & { readonly method: MethodName },
  ): OpenStream {
    this.#opened += 1;
    const id = String(this.#opened);
    const stream = new OpenStream({ ...asked, call, method, openedAt: this.#now() }, () => {
      this.#messages[method] += 1;
      return this.#now();
    });
    this.#open.set(id, stream);
    call.signal.addEventListener('abort', () => this.#open.delete(id), { once: true });
    return stream;
  }

  *facts(): Generator<StreamFacts> {
    for (const [id, stream] of this.#open) yield stream.facts(id);
  }
}

interface Opened {
  readonly call: StreamCall;
  readonly method: MethodName;
  readonly target: string;
  readonly claimedNamespace: string | undefined;
  /** Epoch milliseconds. */
  readonly openedAt: number;
}

/** A call that remembers what went out on it. */
export class OpenStream implements StreamCall {
  readonly #opened: Opened;
  readonly #countMessage: () => number;
  #sentAt: number | undefined;
  #sentBytes = 0;
  /** Hashes what was sent when somebody asks; set by whoever sends. */
  version: () => string | undefined = () => undefined;
  /** Told whenever everything that was sent has left the process. */
  onLeft: () => void = () => {};

  constructor(opened: Opened, countMessage: () => number) {
    this.#opened = opened;
    this.#countMessage = countMessage;
  }

  get method(): MethodName {
    return this.#opened.method;
  }

  get sentBytes(): number {
    return this.#sentBytes;
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
    this.#sentAt = this.#countMessage();
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

  facts(id: string): StreamFacts {
    const { method, target, claimedNamespace, openedAt } = this.#opened;
    const { address, port, identity } = this.peer;
    return {
      id,
      method: `Destination/${method}`,
      target,
      peer: printHostPort({ host: address, port }),
      identity,
      claimedNamespace,
      openedAt,
      version: this.version(),
      sentAt: this.#sentAt,
    };
  }
}
