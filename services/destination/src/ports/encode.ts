import { readIp } from '@gatehouse/core/ip-network';
import { printServiceName } from '@gatehouse/core/mesh/service-authority';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { encodeDuration } from '@gatehouse/wire/duration';
import {
  DestinationProfile,
  type Http2ClientParams,
  Update,
  type WeightedAddr,
  WeightedAddrSet,
} from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { TcpAddress } from '@gatehouse/wire/gen/io/linkerd/proxy/net';
import { encodeTcpAddress } from '@gatehouse/wire/ip';
import type { Message } from '../core/endpoints/diff.ts';
import type { Address, Hint, Shown, ZoneLocality } from '../core/endpoints/endpoint.ts';
import type { Profile } from '../core/profile/profile.ts';

/** The labels that all addresses of a Get stream share. */
export interface ServiceLabels {
  readonly service: string;
  readonly namespace: string;
}

/** The proxy's balancer does not look at weights; Linkerd sends this one. */
const weight = 10_000;

/** Finds dead peers behind a silent connection within 13 s, as Linkerd's chart has it. */
const http2: Http2ClientParams = {
  flowControl: undefined,
  keepAlive: { interval: encodeDuration(10_000), timeout: encodeDuration(3_000), whileIdle: true },
  internals: undefined,
};

/**
 * Writes messages of Get. An address is encoded once and the bytes are set side by side, for a protobuf message is the
 * concatenation of its fields: an `add` costs a copy, however many endpoints it has.
 */
export class UpdateEncoder {
  /** Each a whole field `addrs` of WeightedAddrSet: tag, length, WeightedAddr. */
  readonly #fields = new WeakMap<Address, Uint8Array>();

  encode(message: Message, labels: ServiceLabels): Uint8Array {
    switch (message.kind) {
      case 'add': {
        const fields = message.addresses.map((address) => this.#fieldOf(address));
        const shared = WeightedAddrSet.encode({ addrs: [], metricLabels: { ...labels } }).finish();
        return lengthDelimited(addField, [...fields, shared]);
      }
      case 'remove': {
        const addrs = message.addresses.map(({ shown }) => tcpAddress(shown));
        return Update.encode({ update: { $case: 'remove', value: { addrs } } }).finish();
      }
      case 'no-endpoints': {
        const { exists } = message;
        return Update.encode({ update: { $case: 'noEndpoints', value: { exists } } }).finish();
      }
    }
  }

  /** Bytes of an address in an `add`. */
  weigh(address: Address): number {
    return this.#fieldOf(address).length;
  }

  #fieldOf(address: Address): Uint8Array {
    let field = this.#fields.get(address);
    if (field === undefined) {
      field = WeightedAddrSet.encode({ addrs: [weightedAddr(address)], metricLabels: {} }).finish();
      this.#fields.set(address, field);
    }
    return field;
  }
}

export interface ProfileContext {
  readonly locality: ZoneLocality;
  readonly clusterDomain: string;
}

export const encodeProfile = (profile: Profile, { locality, clusterDomain }: ProfileContext): Uint8Array =>
  DestinationProfile.encode(profileMessage(profile, { locality, clusterDomain })).finish();

const emptyProfile: DestinationProfile = {
  routes: [],
  retryBudget: undefined,
  dstOverrides: [],
  opaqueProtocol: false,
  fullyQualifiedName: '',
  endpoint: undefined,
  parentRef: undefined,
  profileRef: undefined,
};

const profileMessage = (
  profile: Profile,
  { locality, clusterDomain }: ProfileContext,
): DestinationProfile => {
  switch (profile.kind) {
    case 'service': {
      const { namespace, name, port, opaque } = profile;
      const resource = { group: 'core', kind: 'Service', name, namespace, section: '', port };
      return {
        ...emptyProfile,
        fullyQualifiedName: printServiceName(profile, clusterDomain),
        opaqueProtocol: opaque,
        retryBudget: { retryRatio: 0.2, minRetriesPerSecond: 10, ttl: encodeDuration(10_000) },
        parentRef: { kind: { $case: 'resource', value: resource } },
      };
    }
    case 'endpoint':
      return {
        ...emptyProfile,
        opaqueProtocol: profile.opaque,
        endpoint: weightedAddr(profile.endpoint.seenAs[locality]),
      };
    case 'unknown-address':
    case 'contested-address':
      return { ...emptyProfile, opaqueProtocol: profile.opaque };
    case 'nothing':
      return emptyProfile;
  }
};

const weightedAddr = ({ shown, locality }: Address): WeightedAddr => ({
  addr: tcpAddress(shown),
  weight,
  metricLabels: { ...shown.labels, zone_locality: locality },
  tlsIdentity: shown.identity && tlsIdentity(printIdentity(shown.identity)),
  protocolHint: shown.hint === undefined ? undefined : protocolHint(shown.hint),
  authorityOverride: undefined,
  http2: shown.hint === undefined ? undefined : http2,
  resourceRef: undefined,
});

const tlsIdentity = (name: string): WeightedAddr['tlsIdentity'] => ({
  strategy: { $case: 'dnsLikeIdentity', value: { name } },
  serverName: { name },
});

const protocolHint = ({ protocol, inboundPort }: Hint): WeightedAddr['protocolHint'] => ({
  protocol: { $case: protocol, value: {} },
  opaqueTransport: inboundPort === undefined ? undefined : { inboundPort },
});

const tcpAddress = ({ ip, port }: Shown): TcpAddress => {
  const address = readIp(ip);
  // Whatever is shown was read by canonicalIp; an address that cannot be read here is our own mistake.
  if (address === undefined) throw new TypeError(`\`${ip}\` is not a valid address`);
  return encodeTcpAddress(address, port);
};

/** Update's field `add`. */
const addField = 1;

/** A length-delimited field made of parts: protobuf's wire type 2, its length a base-128 varint. */
const lengthDelimited = (field: number, parts: readonly Uint8Array[]): Uint8Array => {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = [(field << 3) | 2];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.set(head, 0);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
};
