import { type MessageSource, type PacedStream, type PacerOptions, StreamPacer } from './stream-pacer.ts';
import type { StreamCall } from './transport.ts';

/** An encoded answer, shared by all streams that it is for. Frozen: a change is another row. */
export interface Row {
  readonly bytes: Uint8Array;
  /** Whether a quiet stream is sent it again; not for rows with a rate limit, since each message empties the proxy's buckets. */
  readonly refresh: boolean;
}

/** The streams of one service that carry whole rows, each replacing the one before (design §6.5). */
export class LatestStreams<R extends Row> {
  readonly #pacer: StreamPacer;

  constructor(options: PacerOptions = {}) {
    this.#pacer = new StreamPacer(options);
  }

  get load(): StreamPacer['load'] {
    return this.#pacer.load;
  }

  open(call: StreamCall): LatestStream<R> {
    return new LatestStream(call, this.#pacer);
  }
}

/** One stream: what it was sent, and the newest row in case its reader is slow. Latest wins; there is no queue. */
export class LatestStream<R extends Row> implements MessageSource {
  readonly #paced: PacedStream;
  #newest: R | undefined;
  #sent: R | undefined;
  #delivered: R | undefined;

  constructor(call: StreamCall, pacer: StreamPacer) {
    this.#paced = pacer.attach(call, this);
  }

  /** Makes `row` what the client should have. Bytes equal to those it was sent last are not sent again. */
  offer(row: R): void {
    this.#newest = row;
    if (sameBytes(row, this.#sent)) {
      // Same words, perhaps other intentions: whether to refresh is decided by the newest row.
      if (this.#delivered === this.#sent) this.#delivered = row;
      this.#sent = row;
    } else this.#paced.wake();
  }

  /** For the pacer, as the two below. */
  next(): Uint8Array | undefined {
    if (this.#newest === undefined || sameBytes(this.#newest, this.#sent)) return undefined;
    this.#sent = this.#newest;
    return this.#sent.bytes;
  }

  refresh(): Uint8Array | undefined {
    return this.#sent?.refresh === true ? this.#sent.bytes : undefined;
  }

  left(): void {
    this.#delivered = this.#sent;
  }

  /** The row handed to the transport last. */
  get sent(): R | undefined {
    return this.#sent;
  }

  /** The last row whose bytes have left the process. */
  get delivered(): R | undefined {
    return this.#delivered;
  }
}

const sameBytes = (row: Row, other: Row | undefined): boolean =>
  other !== undefined && (row.bytes === other.bytes || Buffer.compare(row.bytes, other.bytes) === 0);
