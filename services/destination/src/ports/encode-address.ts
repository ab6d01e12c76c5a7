import { readIp } from '@gatehouse/core/ip-network';
import { type Identity, isDnsName, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { encodeDuration } from '@gatehouse/wire/duration';
import type { Http2ClientParams, WeightedAddr } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { TcpAddress } from '@gatehouse/wire/gen/io/linkerd/proxy/net';
import { encodeTcpAddress } from '@gatehouse/wire/ip';
import type { Address, Hint, Shown } from '../core/endpoints/endpoint.ts';

/** The proxy's balancer does not look at weights; Linkerd sends this one. */
const weight = 10_000;

/** Finds dead peers behind a silent connection within 13 s, as Linkerd's chart has it. */
const http2: Http2ClientParams = {
  flowControl: undefined,
  keepAlive: { interval: encodeDuration(10_000), timeout: encodeDuration(3_000), whileIdle: true },
  internals: undefined,
};

/** An endpoint as one client is told of it, in both methods. */
export const encodeWeightedAddress = ({ shown, locality }: Address): WeightedAddr => ({
  addr: encodeShownAddress(shown),
  weight,
  metricLabels: { ...shown.labels, zone_locality: locality },
  tlsIdentity: shown.identity && tlsIdentity(shown.identity, shown.serverName),
  protocolHint: shown.hint === undefined ? undefined : protocolHint(shown.hint),
  authorityOverride: undefined,
  http2: shown.hint === undefined ? undefined : http2,
  resourceRef: undefined,
});

export const encodeShownAddress = ({ ip, port }: Pick<Shown, 'ip' | 'port'>): TcpAddress => {
  const address = readIp(ip);
  // Whatever is shown was read by canonicalIp; an address that cannot be read here is our own mistake.
  if (address === undefined) throw new TypeError(`\`${ip}\` is not a valid address`);
  return encodeTcpAddress(address, port);
};

/** A DNS name, or a URI: the proxy compares it with the names of the same form in the certificate (`contract/proxy.md` §1.3). */
const tlsIdentity = (identity: Identity, serverName?: string): WeightedAddr['tlsIdentity'] => {
  const name = printIdentity(identity);
  return {
    strategy: isDnsName(name)
      ? { $case: 'dnsLikeIdentity', value: { name } }
      : { $case: 'uriLikeIdentity', value: { uri: name } },
    serverName: { name: serverName ?? name },
  };
};

const protocolHint = ({ protocol, inboundPort }: Hint): WeightedAddr['protocolHint'] => ({
  protocol: { $case: protocol, value: {} },
  opaqueTransport: inboundPort === undefined ? undefined : { inboundPort },
});
