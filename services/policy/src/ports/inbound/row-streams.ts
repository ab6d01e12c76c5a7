import { printHostPort } from '@gatehouse/core/host-port';
import type { StreamFacts } from '@gatehouse/platform/admin/streams';
import { type LatestStream, LatestStreams } from '@gatehouse/platform/grpc/latest-stream';
import type { PacerOptions } from '@gatehouse/platform/grpc/stream-pacer';
import type { Peer, Status, StreamCall } from '@gatehouse/platform/grpc/transport';
import type { EncodedRow } from '../../core/inbound/rows/watched-row.ts';

export type StreamMethod = 'InboundServerPolicies/WatchPort' | 'OutboundPolicies/Watch';

/** Every stream that is open: each carries the newest row of whatever it watches. */
export class RowStreams {
  readonly #latest: LatestStreams<EncodedRow>;
  readonly #now: () => number;
  readonly #open = new Set<RowStream>();
  readonly #messages = new Map<StreamMethod, number>();
  #opened = 0;

  /** `now` in epoch milliseconds. */
  constructor(now: () => number, pace: PacerOptions = {}) {
    this.#now = now;
    this.#latest = new LatestStreams(pace);
  }

  /** Open streams, and those whose client has not taken its last message yet. */
  get load(): { readonly streams: number; readonly busy: number } {
    return this.#latest.load;
  }

  /** Messages handed to the transport so far, refreshes of quiet streams included. */
  get messages(): ReadonlyMap<StreamMethod, number> {
    return this.#messages;
  }

  count(method: StreamMethod): number {
    let count = 0;
    for (const stream of this.#open) if (stream.method === method) count += 1;
    return count;
  }

  open(
    call: StreamCall,
    asked: Pick<StreamFacts, 'target' | 'claimedNamespace'> & { readonly method: StreamMethod },
  ): RowStream {
    this.#opened += 1;
    const stream = new RowStream({
      ...asked,
      call,
      id: this.#opened,
      openedAt: this.#now(),
      hub: this,
    });
    stream.follow(this.#latest.open(stream));
    // A client may have left before its call was looked at; such a signal tells nobody any more.
    if (call.signal.aborted) return stream;
    this.#open.add(stream);
    const over = (): void => {
      this.#open.delete(stream);
      stream.over();
    };
    call.signal.addEventListener('abort', over, { once: true });
    return stream;
  }

  /** Counts a message; answers when it was sent. */
  countMessage(method: StreamMethod): number {
    this.#messages.set(method, (this.#messages.get(method) ?? 0) + 1);
    return this.#now();
  }

  *facts(): Generator<StreamFacts> {
    for (const stream of this.#open) yield stream.facts;
  }
}

interface Opened {
  readonly call: StreamCall;
  readonly method: StreamMethod;
  readonly target: string;
  readonly claimedNamespace: string | undefined;
  readonly id: number;
  readonly openedAt: number;
  readonly hub: Pick<RowStreams, 'countMessage'>;
}

/** One call that carries rows and remembers when something went out on it. */
export class RowStream implements StreamCall {
  readonly #opened: Opened;
  #latest: LatestStream<EncodedRow> | undefined;
  #sentAt: number | undefined;
  #release: (() => void) | undefined;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  get method(): StreamMethod {
    return this.#opened.method;
  }

  get facts(): StreamFacts {
    const { id, method, target, claimedNamespace, openedAt } = this.#opened;
    const { address, port, identity } = this.peer;
    return {
      id: `${id}`,
      method,
      target,
      peer: printHostPort({ host: address, port }),
      identity,
      claimedNamespace,
      openedAt,
      version: this.#latest?.sent?.version,
      sentAt: this.#sentAt,
    };
  }

  follow(latest: LatestStream<EncodedRow>): void {
    this.#latest = latest;
  }

  /** `release` is called once, when the stream is over: it lets go of what is watched. */
  holds(release: () => void): void {
    this.#release = release;
    if (this.signal.aborted) this.over();
  }

  over(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /** Makes `row` what the client should have; a slow client gets only the newest. */
  offer(row: EncodedRow): void {
    this.#latest?.offer(row);
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
    this.#sentAt = this.#opened.hub.countMessage(this.method);
    return this.#opened.call.send(message);
  }

  onWritable(listener: () => void): void {
    this.#opened.call.onWritable(listener);
  }

  end(status?: Status): void {
    this.#opened.call.end(status);
  }
}
