import type { Ended } from '../process/supervise.ts';

export const serviceNames = ['identity', 'destination', 'policy'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** A service's ServiceAccount, and so the start of its mesh name (design §3). */
export const accountOf = (service: ServiceName): string => `gatehouse-${service}`;

/** A service that is up: where it is reached, and how it ends. */
export interface RunningService {
  readonly service: ServiceName;
  /** Its mesh name, the DNS SAN of its serving certificate. */
  readonly name: string;
  /** `host:port` as bound. */
  readonly grpc: string;
  /** `http://host:port` as bound. */
  readonly admin: string;
  /** `https://host:port` of the admission webhooks as bound; absent where it serves none. */
  readonly webhook?: string;
  /** Resolves once it is over and everything is closed, no matter who ended it. */
  readonly ended: Promise<Ended>;
  /** Ends it in order; resolves when everything is closed. */
  stop(reason: string): Promise<void>;
}
