import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import { printIp } from '@gatehouse/core/ip-network';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { Update, WeightedAddr } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { TcpAddress } from '@gatehouse/wire/gen/io/linkerd/proxy/net';
import { decodeIp } from '@gatehouse/wire/ip';

/** One place that answers for a target, and how to reach it. */
export interface Endpoint {
  readonly address: HostPort;
  /** Whom the other side must prove to be, and the SNI to say it with; undefined = plaintext. */
  readonly identity: { readonly name: string; readonly serverName: string } | undefined;
  /** HTTP/1 requests travel as HTTP/2. */
  readonly http2: boolean;
}

/** By `ip:port`. */
export type EndpointSet = ReadonlyMap<string, Endpoint>;

const decodeAddress = (addr: TcpAddress | undefined): HostPort | undefined => {
  const ip = decodeIp(addr?.ip);
  return ip === undefined || addr === undefined ? undefined : { host: printIp(ip), port: addr.port & 0xffff };
};

/**
 * A broken identity is not a valid identity, and that means plaintext: so has the proxy (contract/proxy.md §1.3). An opaque port
 * ends no TLS (§0 row 11); the real proxy would go through the transport header, which we do not have.
 */
const decodeIdentity = ({ tlsIdentity, protocolHint }: WeightedAddr): Endpoint['identity'] => {
  if (protocolHint?.protocol?.$case === 'opaque') return undefined;
  if (tlsIdentity?.strategy?.$case !== 'dnsLikeIdentity') return undefined;
  const name = tlsIdentity.strategy.value.name.toLowerCase();
  return isDnsName(name) ? { name, serverName: tlsIdentity.serverName?.name ?? name } : undefined;
};

/** Undefined for what has no address. */
export const decodeEndpoint = (addr: WeightedAddr): Endpoint | undefined => {
  const address = decodeAddress(addr.addr);
  if (address === undefined) return undefined;
  return {
    address,
    identity: decodeIdentity(addr),
    http2: addr.protocolHint?.protocol?.$case === 'h2',
  };
};

/**
 * The set after an update; undefined when the proxy ignores it. As the first of a stream, `add` replaces everything that
 * is known and `remove` means nothing.
 */
export const applyUpdate = (
  known: EndpointSet,
  { update }: Update,
  first: boolean,
): EndpointSet | undefined => {
  switch (update?.$case) {
    case 'add': {
      const added = update.value.addrs.flatMap((addr) => decodeEndpoint(addr) ?? []);
      if (added.length === 0) return undefined;
      const entries = added.map((endpoint) => [printHostPort(endpoint.address), endpoint] as const);
      return new Map([...(first ? [] : known), ...entries]);
    }
    case 'remove': {
      if (first) return undefined;
      const gone = new Set(
        update.value.addrs.map((addr) => {
          const address = decodeAddress(addr);
          return address && printHostPort(address);
        }),
      );
      return new Map([...known].filter(([key]) => !gone.has(key)));
    }
    case 'noEndpoints':
      return new Map();
    case undefined:
      return undefined;
  }
};
