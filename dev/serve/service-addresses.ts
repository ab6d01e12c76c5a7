import { printHostPort } from '@gatehouse/core/host-port';
import type { ServiceName } from '@gatehouse/platform/service/service';

export const serviceNames = ['identity', 'destination', 'policy'] as const satisfies readonly ServiceName[];

/** The ports of design §13 when nothing moves them: gRPC for proxies, admin for people. */
const ports: Readonly<Record<ServiceName, { readonly grpc: number; readonly admin: number }>> = {
  identity: { grpc: 8080, admin: 9990 },
  destination: { grpc: 8086, admin: 9996 },
  policy: { grpc: 8090, admin: 9997 },
};

export interface ServiceAddresses {
  /** `host:port`. */
  readonly grpc: string;
  readonly admin: string;
}

/**
 * Where one service listens. `base` moves all ports together: identity's gRPC port becomes `base` and every other keeps
 * its distance to it; 0 = any free port for each; undefined = the usual ones.
 */
export const serviceAddresses = (
  service: ServiceName,
  { host, base }: { readonly host: string; readonly base: number | undefined },
): ServiceAddresses => {
  const move = (port: number): number =>
    base === undefined ? port : base === 0 ? 0 : port - ports.identity.grpc + base;
  const at = (port: number): string => printHostPort({ host, port: move(port) });
  return { grpc: at(ports[service].grpc), admin: at(ports[service].admin) };
};

/** The highest base whose last port is still a port. */
export const highestBase = 65535 - (ports.policy.admin - ports.identity.grpc);
