import { Duration } from '../../gen/google/protobuf/duration.ts';
import { GrpcFailureInjector, GrpcRouteMatch, GrpcRpcMatch } from '../../gen/io/linkerd/proxy/grpc_route.ts';
import * as http from '../../gen/io/linkerd/proxy/http_route.ts';
import { Headers, Headers_Header, HttpMethod, Scheme } from '../../gen/io/linkerd/proxy/http_types.ts';
import { Metadata, Resource } from '../../gen/io/linkerd/proxy/meta.ts';
import { IPAddress, IPNetwork, IPv6, TcpAddress } from '../../gen/io/linkerd/proxy/net.ts';
import { Forbidden, Invalid } from '../../gen/io/linkerd/proxy/opaque_route.ts';
import { SniMatch, SniMatch_Suffix } from '../../gen/io/linkerd/proxy/tls_route.ts';
import { bytes, fixed32, fixed64, sample, varint } from './hand-made.ts';

/** Every message of the packages that the others are made of, numbers from contract/proxy.md §1.8. */

export const duration = sample(Duration, { seconds: 90n, nanos: 5 }, varint(1, 90), varint(2, 5));

export const ipv6 = sample(
  IPv6,
  { first: 0x20010db800010002n, last: 3n },
  fixed64(1, 0x20010db800010002n),
  fixed64(2, 3n),
);
export const ip = sample(IPAddress, { ip: { $case: 'ipv4', value: 0x7f000001 } }, fixed32(1, 0x7f000001));
export const ipOf6 = sample(IPAddress, { ip: { $case: 'ipv6', value: ipv6.value } }, bytes(2, ipv6.wire));
export const network = sample(IPNetwork, { ip: ip.value, prefixLen: 8 }, bytes(1, ip.wire), varint(2, 8));
export const tcp = sample(TcpAddress, { ip: ip.value, port: 8080 }, bytes(1, ip.wire), varint(2, 8080));

export const resource = sample(
  Resource,
  { group: 'g', kind: 'k', name: 'n', namespace: 's', section: 'c', port: 80 },
  ...['g', 'k', 'n', 's', 'c'].map((text, index) => bytes(index + 1, text)),
  varint(6, 80),
);
export const metadata = sample(Metadata, { kind: { $case: 'default', value: 'deny' } }, bytes(1, 'deny'));
const metadataOfResource = sample(
  Metadata,
  { kind: { $case: 'resource', value: resource.value } },
  bytes(2, resource.wire),
);

export const method = sample(HttpMethod, { type: { $case: 'registered', value: 8 } }, varint(1, 8));
export const scheme = sample(Scheme, { type: { $case: 'registered', value: 1 } }, varint(1, 1));
const otherMethod = sample(HttpMethod, { type: { $case: 'unregistered', value: 'LOCK' } }, bytes(2, 'LOCK'));
const otherScheme = sample(Scheme, { type: { $case: 'unregistered', value: 'ws' } }, bytes(2, 'ws'));
const header = sample(
  Headers_Header,
  { name: 'a', value: Buffer.from([0xff]) },
  bytes(1, 'a'),
  bytes(2, Buffer.from([0xff])),
);
const headers = sample(
  Headers,
  { headers: [header.value, header.value] },
  bytes(1, header.wire),
  bytes(1, header.wire),
);

const hostSuffix = sample(
  http.HostMatch_Suffix,
  { reverseLabels: ['com', 'a'] },
  bytes(1, 'com'),
  bytes(1, 'a'),
);
const exactHost = sample(http.HostMatch, { match: { $case: 'exact', value: 'a.com' } }, bytes(1, 'a.com'));
export const host = sample(
  http.HostMatch,
  { match: { $case: 'suffix', value: hostSuffix.value } },
  bytes(2, hostSuffix.wire),
);
const path = sample(http.PathMatch, { kind: { $case: 'prefix', value: '/p' } }, bytes(2, '/p'));
const headerMatch = sample(
  http.HeaderMatch,
  { name: 'h', value: { $case: 'exact', value: Buffer.from('v') } },
  bytes(1, 'h'),
  bytes(2, 'v'),
);
const query = sample(
  http.QueryParamMatch,
  { name: 'q', value: { $case: 'regex', value: 'v+' } },
  bytes(1, 'q'),
  bytes(3, 'v+'),
);
export const httpMatch = sample(
  http.HttpRouteMatch,
  { path: path.value, headers: [headerMatch.value], queryParams: [query.value], method: method.value },
  ...[path, headerMatch, query, method].map(({ wire }, index) => bytes(index + 1, wire)),
);
const pathModifier = sample(http.PathModifier, { replace: { $case: 'prefix', value: '/n' } }, bytes(2, '/n'));
const ratio = sample(http.Ratio, { numerator: 1, denominator: 4 }, varint(1, 1), varint(2, 4));
export const injectHttp = sample(
  http.HttpFailureInjector,
  { status: 503, message: 'm', ratio: ratio.value },
  varint(1, 503),
  bytes(2, 'm'),
  bytes(3, ratio.wire),
);
const modify = { add: headers.value, set: headers.value, remove: ['x', 'y'] };
const modifyWire = [bytes(1, headers.wire), bytes(2, headers.wire), bytes(3, 'x'), bytes(3, 'y')];
export const modifyRequest = sample(http.RequestHeaderModifier, modify, ...modifyWire);
export const modifyResponse = sample(http.ResponseHeaderModifier, modify, ...modifyWire);
export const redirect = sample(
  http.RequestRedirect,
  { scheme: scheme.value, host: 'h', path: pathModifier.value, port: 81, status: 302 },
  bytes(1, scheme.wire),
  bytes(2, 'h'),
  bytes(3, pathModifier.wire),
  varint(4, 81),
  varint(5, 302),
);
export const timeouts = sample(
  http.Timeouts,
  { response: duration.value, request: duration.value, idle: duration.value },
  ...[1, 2, 3].map((field) => bytes(field, duration.wire)),
);

const rpc = sample(GrpcRpcMatch, { service: 's', method: 'm' }, bytes(1, 's'), bytes(2, 'm'));
export const grpcMatch = sample(
  GrpcRouteMatch,
  { rpc: rpc.value, headers: [headerMatch.value] },
  bytes(1, rpc.wire),
  bytes(2, headerMatch.wire),
);
export const injectGrpc = sample(
  GrpcFailureInjector,
  { code: 14, message: 'm', ratio: ratio.value },
  varint(1, 14),
  bytes(2, 'm'),
  bytes(3, ratio.wire),
);

export const invalid = sample(Invalid, { message: 'm' }, bytes(1, 'm'));
export const forbidden = sample(Forbidden, {});
const sniSuffix = sample(SniMatch_Suffix, { reverseLabels: ['com'] }, bytes(1, 'com'));
export const sni = sample(
  SniMatch,
  { match: { $case: 'suffix', value: sniSuffix.value } },
  bytes(2, sniSuffix.wire),
);

export const commonSamples = [
  duration,
  ipv6,
  ip,
  ipOf6,
  network,
  tcp,
  resource,
  metadata,
  metadataOfResource,
  method,
  otherMethod,
  scheme,
  otherScheme,
  header,
  headers,
  hostSuffix,
  exactHost,
  host,
  path,
  sample(http.PathMatch, { kind: { $case: 'exact', value: '/p' } }, bytes(1, '/p')),
  sample(http.PathMatch, { kind: { $case: 'regex', value: '/p' } }, bytes(3, '/p')),
  headerMatch,
  sample(
    http.HeaderMatch,
    { name: 'h', value: { $case: 'regex', value: 'v' } },
    bytes(1, 'h'),
    bytes(3, 'v'),
  ),
  query,
  sample(
    http.QueryParamMatch,
    { name: 'q', value: { $case: 'exact', value: 'v' } },
    bytes(1, 'q'),
    bytes(2, 'v'),
  ),
  httpMatch,
  pathModifier,
  sample(http.PathModifier, { replace: { $case: 'full', value: '/n' } }, bytes(1, '/n')),
  ratio,
  injectHttp,
  modifyRequest,
  modifyResponse,
  redirect,
  timeouts,
  rpc,
  grpcMatch,
  injectGrpc,
  invalid,
  forbidden,
  sniSuffix,
  sni,
  sample(SniMatch, { match: { $case: 'exact', value: 'a.com' } }, bytes(1, 'a.com')),
];
