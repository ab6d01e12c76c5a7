import type { MessageSource, PacedStream, StreamPacer } from '@gatehouse/platform/grpc/stream-pacer';
import type { StreamCall } from '@gatehouse/platform/grpc/transport';
import type { Said } from '@gatehouse/platform/service/open-streams';
import type { Sent } from '../core/endpoints/diff.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { ServiceLabels } from './encode.ts';
import type { Stream } from './session.ts';
import type { Updates } from './updates.ts';

export interface GetStreamOptions {
  readonly call: StreamCall;
  readonly pacer: StreamPacer;
  readonly updates: Updates;
  readonly labels: ServiceLabels;
  /** The newest snapshot for this client; cheap, since clients that should know the same share it. */
  readonly newest: () => Snapshot;
}

/**
 * One Get stream. It remembers what its proxy was sent, and nothing else: whenever the client can take more, the
 * difference to the newest goes out. A slow client skips what came in between; it costs neither a queue nor its stream.
 */
export class GetStream implements Stream, MessageSource {
  readonly #options: GetStreamOptions;
  readonly #paced: PacedStream;
  #sent: Sent = 'nothing';
  #isAdmitted = false;

  constructor(options: GetStreamOptions) {
    this.#options = options;
    this.#paced = options.pacer.attach(options.call, this);
  }

  admit(): void {
    this.#isAdmitted = true;
    this.advance();
  }

  advance(): void {
    this.#paced.wake();
  }

  next(): Uint8Array | undefined {
    if (!this.#isAdmitted) return undefined;
    const { updates, labels, newest } = this.#options;
    const written = updates.next(this.#sent, newest(), labels);
    if (written === undefined) return undefined;
    this.#sent = written.reached;
    return written.bytes;
  }

  refresh(): Uint8Array | undefined {
    return this.#options.updates.refresh(this.#sent, this.#options.labels);
  }

  get said(): Said | undefined {
    return this.#options.updates.said(this.#sent, this.#options.labels);
  }
}
