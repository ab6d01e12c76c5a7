import type { Peer, Status, StreamCall } from '@gatehouse/platform/grpc/transport';

/** A StreamCall whose client reads as fast as the test says. */
export class FakeCall implements StreamCall {
  readonly request: Uint8Array;
  readonly peer: Peer = { address: '10.1.0.9', port: 40_000, identity: undefined };
  /** Everything handed over, in order. */
  readonly messages: Uint8Array[] = [];
  ended: Status | 'ok' | undefined;
  /** Whether the client takes messages at once. */
  reads = true;
  readonly #abort = new AbortController();
  #listener: (() => void) | undefined;

  constructor(request: Uint8Array) {
    this.request = request;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  send(message: Uint8Array): boolean {
    if (this.signal.aborted) return false;
    this.messages.push(message);
    return this.reads;
  }

  onWritable(listener: () => void): void {
    this.#listener = listener;
  }

  onAnswered(listener: () => void): void {
    listener();
  }

  end(status?: Status): void {
    this.ended ??= status ?? 'ok';
    this.#abort.abort();
  }

  /** What was handed over has left the process. */
  drain(): void {
    this.#listener?.();
  }

  /** The client leaves. */
  cancel(): void {
    this.#abort.abort();
  }
}
