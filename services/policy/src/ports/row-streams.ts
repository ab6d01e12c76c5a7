import { type LatestStream, LatestStreams } from '@gatehouse/platform/grpc/latest-stream';
import type { PacerOptions } from '@gatehouse/platform/grpc/stream-pacer';
import type { StreamCall } from '@gatehouse/platform/grpc/transport';
import {
  type Asked,
  type OpenStream,
  OpenStreams,
  type Versioned,
} from '@gatehouse/platform/service/open-streams';
import type { EncodedRow } from '../core/inbound/rows/watched-row.ts';

const methods = ['InboundServerPolicies/WatchPort', 'OutboundPolicies/Watch'] as const;

export type StreamMethod = (typeof methods)[number];

/** Every stream that is open: each carries the newest row of whatever it watches. */
export class RowStreams extends OpenStreams<StreamMethod> {
  readonly #latest: LatestStreams<EncodedRow>;

  /** `now` in epoch milliseconds. */
  constructor(now: () => number, pace: PacerOptions = {}) {
    super(methods, now);
    this.#latest = new LatestStreams(pace);
  }

  /** Open streams, and those whose client has not taken its last message yet. */
  get load(): { readonly streams: number; readonly busy: number } {
    return this.#latest.load;
  }

  open(call: StreamCall, asked: Asked<StreamMethod>): RowStream {
    const stream = this.follow(call, asked);
    return new RowStream(stream, this.#latest.open(stream));
  }
}

/** One stream, and the newest row in case its client is slow. */
export class RowStream implements Versioned {
  readonly #stream: OpenStream;
  readonly #latest: LatestStream<EncodedRow>;

  constructor(stream: OpenStream, latest: LatestStream<EncodedRow>) {
    this.#stream = stream;
    this.#latest = latest;
    stream.sentBy(this);
  }

  get version(): string | undefined {
    return this.#latest.sent?.version;
  }

  /** `release` is called once, when the stream is over: it lets go of what is watched. */
  holds(release: () => void): void {
    this.#stream.holds(release);
  }

  /** Makes `row` what the client should have; a slow client gets only the newest. */
  offer(row: EncodedRow): void {
    this.#latest.offer(row);
  }

  end(): void {
    this.#stream.end();
  }
}
