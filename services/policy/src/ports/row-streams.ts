import { SetMap } from '@gatehouse/core/dependency/set-map';
import type { StreamFacts } from '@gatehouse/platform/admin/streams';
import { type LatestStream, LatestStreams } from '@gatehouse/platform/grpc/latest-stream';
import type { PacerOptions } from '@gatehouse/platform/grpc/stream-pacer';
import type { Peer, StreamCall } from '@gatehouse/platform/grpc/transport';
import { type Clock, systemClock } from '@gatehouse/platform/process/clock';
import {
  type Asked,
  type OpenStream,
  OpenStreams,
  type Said,
  type Sender,
} from '@gatehouse/platform/service/open-streams';
import type { WorkloadPort } from '../core/inbound/rows/inbound-rows.ts';
import type { EncodedRow } from '../core/inbound/rows/watched-row.ts';

const methods = ['InboundServerPolicies/WatchPort', 'OutboundPolicies/Watch'] as const;

export type StreamMethod = (typeof methods)[number];

/** Every stream that is open: each carries the newest row of whatever it watches. */
export class RowStreams extends OpenStreams<StreamMethod> {
  readonly #latest: LatestStreams<EncodedRow>;

  readonly #timing: Timing;
  /** Those by which proxies watch their own ports, by namespace. */
  readonly #inbound = new SetMap<string, InboundStream>();

  /** `now` in epoch milliseconds. */
  constructor(
    now: () => number,
    { clock = systemClock, ...pace }: PacerOptions & { readonly clock?: Pick<Clock, 'after'> } = {},
  ) {
    super(methods, now);
    this.#latest = new LatestStreams(pace);
    this.#timing = { now, after: clock.after };
  }

  /** Open streams, and those whose client has not taken its last message yet. */
  get load(): { readonly streams: number; readonly busy: number } {
    return this.#latest.load;
  }

  open(call: StreamCall, asked: Asked<StreamMethod>): RowStream {
    const stream = this.follow(call, asked);
    return new RowStream(stream, this.#latest.open(stream), this.#timing);
  }

  /** The same for a proxy that watches one of its own ports. */
  openInbound(call: StreamCall, asked: WorkloadPort): RowStream {
    const { namespace } = asked;
    const stream = this.open(call, {
      method: 'InboundServerPolicies/WatchPort',
      target: printWorkloadPort(asked),
      claimedNamespace: namespace,
    });
    const inbound = { asked, stream };
    this.#inbound.add(namespace, inbound);
    stream.holds(() => this.#inbound.remove(namespace, inbound));
    return stream;
  }

  /** Open streams for ports of a namespace's workloads, the oldest first. */
  inbound(namespace: string): Iterable<InboundStream> {
    return this.#inbound.get(namespace);
  }
}

export interface InboundStream {
  readonly asked: WorkloadPort;
  readonly stream: Pick<RowStream, 'peer' | 'facts'>;
}

export const printWorkloadPort = ({ kind, namespace, pod, port }: WorkloadPort): string =>
  `${kind === undefined ? '' : `${kind} `}${namespace}/${pod}:${port}`;

interface Timing {
  /** Epoch milliseconds, as the streams are stamped. */
  readonly now: () => number;
  readonly after: Clock['after'];
}

/**
 * Where requests are limited, each message fills the proxy's buckets again, so that frequent ones would undo the limit: what only
 * widens such a row is sent no sooner after the last message than this (design §6.5).
 */
const widenEveryMs = 10_000;

/** One stream, and the newest row in case its client is slow. */
export class RowStream implements Sender {
  readonly #stream: OpenStream;
  readonly #latest: LatestStream<EncodedRow>;
  readonly #timing: Timing;
  /** Forgets the row that waits; undefined while none does. */
  #forget: (() => void) | undefined;

  constructor(stream: OpenStream, latest: LatestStream<EncodedRow>, timing: Timing) {
    this.#stream = stream;
    this.#latest = latest;
    this.#timing = timing;
    stream.sentBy(this);
    stream.holds(() => this.#forget?.());
  }

  get peer(): Peer {
    return this.#stream.peer;
  }

  get facts(): StreamFacts {
    return this.#stream.facts;
  }

  get said(): Said | undefined {
    return this.#latest.sent;
  }

  /** `release` is called once, when the stream is over: it lets go of what is watched. */
  holds(release: () => void): void {
    this.#stream.holds(release);
  }

  /**
   * Makes `row` what the client should have; a slow client gets only the newest. One that may wait, since it refuses the client
   * nothing that the last one admits, waits where requests are limited; one that comes after it takes its place.
   */
  offer(row: EncodedRow, when: 'at-once' | 'may-wait' = 'at-once'): void {
    this.#forget?.();
    this.#forget = undefined;
    const waitMs = when === 'may-wait' ? this.#waitMs(row) : 0;
    if (waitMs <= 0) {
      this.#latest.offer(row);
      return;
    }
    const { after } = this.#timing;
    const { sentAt } = this.#stream;
    this.#forget = after(waitMs, () => {
      // What a slow reader took in the meantime counts from then.
      this.offer(row, this.#stream.sentAt === sentAt ? 'at-once' : 'may-wait');
    });
  }

  #waitMs({ refresh }: EncodedRow): number {
    const { sentAt } = this.#stream;
    const isLimited = !refresh && this.#latest.sent?.refresh === false;
    if (!isLimited || sentAt === undefined) return 0;
    // A clock that was set back is no reason to wait longer.
    return Math.min(widenEveryMs, sentAt + widenEveryMs - this.#timing.now());
  }

  end(): void {
    this.#stream.end();
  }
}
