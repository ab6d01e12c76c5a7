import { GatehouseError } from '@gatehouse/core/error';
import { printIp, readIp } from '@gatehouse/core/ip-network';
import {
  type Authority,
  parseAuthority,
  printAuthority,
  printServiceName,
} from '@gatehouse/core/mesh/service-authority';
import { isPort } from '@gatehouse/core/port-set';
import type { Methods, StreamCall } from '@gatehouse/platform/grpc/transport';
import { TrafficSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import { decodeIp } from '@gatehouse/wire/ip';
import { readWorkload } from '../../core/inbound/workload-name.ts';
import type { OutboundRows } from '../../core/outbound/rows.ts';
import type { RowStream, RowStreams } from '../row-streams.ts';

const service = '/io.linkerd.proxy.outbound.OutboundPolicies';

export interface OutboundParts {
  readonly rows: OutboundRows<RowStream>;
  readonly streams: RowStreams;
  readonly clusterDomain: string;
  /** Throws `unavailable` until every kind has been listed: NotFound is final, so it is not said out of ignorance. */
  readonly requireReady: () => void;
  /** Takes in what a burst still holds back, before anybody is told that something does not exist. */
  readonly settle: () => void;
}

/** What proxies are told of addresses that are no Service's, as those of pods: they go on without policy (`contract/proxy.md` §2.1). */
const usual = 'not-found';

/** What proxies ask about the targets of their applications (`contract/proxy.md` §1.6). */
export const outboundMethods = (parts: OutboundParts): Methods => ({
  [`${service}/Get`]: {
    kind: 'unary',
    usual,
    handle: ({ request }) => {
      const target = readKnownTarget(request, parts);
      const answer = parts.rows.look(target);
      if (answer === undefined) throw unknownTarget(target, parts);
      return answer.encoded.bytes;
    },
  },
  [`${service}/Watch`]: {
    kind: 'server-stream',
    usual,
    open: (call) => watch(call, readKnownTarget(call.request, parts), parts),
  },
});

const watch = (call: StreamCall, target: Authority, parts: OutboundParts): void => {
  const { rows, streams, clusterDomain } = parts;
  const stream = streams.open(call, {
    method: 'OutboundPolicies/Watch',
    target: printAuthority(target, clusterDomain),
    claimedNamespace: sourceNamespace(call.request),
  });
  const watched = rows.watch(target, stream);
  if (watched === undefined) throw unknownTarget(target, parts);
  stream.holds(() => rows.unwatch(watched));
  stream.offer(watched.row.encoded);
};

const readKnownTarget = (request: Uint8Array, parts: OutboundParts): Authority => {
  const target = readTarget(request, parts);
  if (!parts.rows.knows(target)) parts.settle();
  if (!parts.rows.knows(target)) throw unknownTarget(target, parts);
  return target;
};

/**
 * InvalidArgument closes the application's connection, NotFound lets it go on without policy (`contract/proxy.md` §2.1):
 * so only what no proxy can mean is invalid (`contract/linkerd-semantics.md` §2b). Who asks makes no difference while no
 * routes are built, so a source that cannot be read is no reason to refuse.
 */
const readTarget = (
  request: Uint8Array,
  { clusterDomain, requireReady }: Pick<OutboundParts, 'clusterDomain' | 'requireReady'>,
): Authority => {
  const { target } = decode(request);
  if (target === undefined) throw new GatehouseError('invalid-argument', 'a target is required');
  if (target.$case === 'addr') {
    const { port } = target.value;
    const decoded = decodeIp(target.value.ip);
    // Printed and read again, IPv4 inside IPv6 is IPv4.
    const ip = decoded && readIp(printIp(decoded));
    if (ip === undefined) throw new GatehouseError('invalid-argument', 'the target has no IP address');
    if (!isPort(port)) throw new GatehouseError('invalid-argument', `Invalid port: ${port}`);
    requireReady();
    return { kind: 'address', ip: printIp(ip), port };
  }
  requireReady();
  const named = parseAuthority(target.value, clusterDomain);
  // Anything else may be a name of the outside view, which is not a mistake of the client.
  if (!named.ok || named.value.kind !== 'service') {
    throw new GatehouseError(
      'not-found',
      `authority must be of the form ${printServiceName({ name: '<name>', namespace: '<namespace>' }, clusterDomain)}[:port], not ${target.value}`,
    );
  }
  return named.value;
};

const sourceNamespace = (request: Uint8Array): string | undefined => {
  const workload = readWorkload(decode(request).sourceWorkload);
  return workload.ok ? workload.value.namespace : undefined;
};

const decode = (request: Uint8Array): TrafficSpec => {
  try {
    return TrafficSpec.decode(request);
  } catch (cause) {
    throw new GatehouseError('invalid-argument', 'the request is not a valid TrafficSpec message', { cause });
  }
};

const unknownTarget = (
  target: Authority,
  { clusterDomain }: Pick<OutboundParts, 'clusterDomain'>,
): GatehouseError =>
  new GatehouseError('not-found', `no Service answers at ${printAuthority(target, clusterDomain)}`);
