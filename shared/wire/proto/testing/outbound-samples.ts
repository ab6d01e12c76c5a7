import * as o from '../../gen/io/linkerd/proxy/outbound.ts';
import {
  duration,
  forbidden,
  grpcMatch,
  host,
  httpMatch,
  injectGrpc,
  injectHttp,
  invalid,
  metadata,
  modifyRequest,
  modifyResponse,
  redirect,
  sni,
  tcp,
  timeouts,
} from './common-samples.ts';
import { bytes, type Sample, sample, varint } from './hand-made.ts';
import { accrual, backend, backoff, outboundBackendSamples } from './outbound-backend-samples.ts';

/** Every message of outbound, numbers from contract/proxy.md §1.8. */

const httpFilter = sample(
  o.HttpRoute_Filter,
  { kind: { $case: 'responseHeaderModifier', value: modifyResponse.value } },
  bytes(4, modifyResponse.wire),
);
const grpcFilter = sample(
  o.GrpcRoute_Filter,
  { kind: { $case: 'requestHeaderModifier', value: modifyRequest.value } },
  bytes(2, modifyRequest.wire),
);
const opaqueFilter = sample(
  o.OpaqueRoute_Filter,
  { kind: { $case: 'forbidden', value: {} } },
  bytes(2, forbidden.wire),
);
const tlsFilter = sample(
  o.TlsRoute_Filter,
  { kind: { $case: 'forbidden', value: {} } },
  bytes(2, forbidden.wire),
);

const httpBackend = sample(
  o.HttpRoute_RouteBackend,
  { backend: backend.value, filters: [httpFilter.value], requestTimeout: duration.value },
  bytes(1, backend.wire),
  bytes(3, httpFilter.wire),
  bytes(4, duration.wire),
);
const grpcBackend = sample(
  o.GrpcRoute_RouteBackend,
  { backend: backend.value, filters: [grpcFilter.value], requestTimeout: duration.value },
  bytes(1, backend.wire),
  bytes(3, grpcFilter.wire),
  bytes(4, duration.wire),
);
const opaqueBackend = sample(
  o.OpaqueRoute_RouteBackend,
  { backend: backend.value, filters: [opaqueFilter.value] },
  bytes(1, backend.wire),
  bytes(3, opaqueFilter.wire),
);
const tlsBackend = sample(
  o.TlsRoute_RouteBackend,
  { backend: backend.value, filters: [tlsFilter.value] },
  bytes(1, backend.wire),
  bytes(3, tlsFilter.wire),
);

/** The parts of a Distribution, which the four kinds of routes have alike. */
const distributionWire = (routeBackend: Sample) => {
  const weighted = Buffer.concat([bytes(1, routeBackend.wire), varint(2, 3)]);
  return { first: bytes(1, routeBackend.wire), weighted, random: bytes(1, weighted) };
};

const httpParts = distributionWire(httpBackend);
const httpFirst = { backends: [httpBackend.value] };
const httpWeighted = { backend: httpBackend.value, weight: 3 };
const httpDistribution = sample(
  o.HttpRoute_Distribution,
  { kind: { $case: 'firstAvailable', value: httpFirst } },
  bytes(2, httpParts.first),
);
const grpcParts = distributionWire(grpcBackend);
const grpcFirst = { backends: [grpcBackend.value] };
const grpcWeighted = { backend: grpcBackend.value, weight: 3 };
const grpcDistribution = sample(
  o.GrpcRoute_Distribution,
  { kind: { $case: 'firstAvailable', value: grpcFirst } },
  bytes(2, grpcParts.first),
);
const opaqueParts = distributionWire(opaqueBackend);
const opaqueFirst = { backends: [opaqueBackend.value] };
const opaqueWeighted = { backend: opaqueBackend.value, weight: 3 };
const opaqueDistribution = sample(
  o.OpaqueRoute_Distribution,
  { kind: { $case: 'firstAvailable', value: opaqueFirst } },
  bytes(2, opaqueParts.first),
);
const tlsParts = distributionWire(tlsBackend);
const tlsFirst = { backends: [tlsBackend.value] };
const tlsWeighted = { backend: tlsBackend.value, weight: 3 };
const tlsDistribution = sample(
  o.TlsRoute_Distribution,
  { kind: { $case: 'firstAvailable', value: tlsFirst } },
  bytes(2, tlsParts.first),
);

const range = sample(
  o.HttpRoute_Retry_Conditions_StatusRange,
  { start: 500, end: 599 },
  varint(1, 500),
  varint(2, 599),
);
const httpConditions = sample(
  o.HttpRoute_Retry_Conditions,
  { statusRanges: [range.value] },
  bytes(1, range.wire),
);
const httpRetry = sample(
  o.HttpRoute_Retry,
  {
    maxRetries: 2,
    maxRequestBytes: 65_536,
    conditions: httpConditions.value,
    timeout: duration.value,
    backoff: backoff.value,
  },
  varint(1, 2),
  varint(2, 65_536),
  bytes(3, httpConditions.wire),
  bytes(4, duration.wire),
  bytes(5, backoff.wire),
);
const grpcConditions = sample(
  o.GrpcRoute_Retry_Conditions,
  { cancelled: true, deadineExceeded: true, resourceExhausted: true, internal: true, unavailable: true },
  ...[1, 4, 8, 13, 14].map((field) => varint(field, 1)),
);
const grpcRetry = sample(
  o.GrpcRoute_Retry,
  {
    maxRetries: 2,
    maxRequestBytes: 65_536,
    conditions: grpcConditions.value,
    timeout: duration.value,
    backoff: backoff.value,
  },
  varint(1, 2),
  varint(2, 65_536),
  bytes(3, grpcConditions.wire),
  bytes(4, duration.wire),
  bytes(5, backoff.wire),
);

const ruleWire = (match: Sample, filter: Sample, distribution: Sample, retry: Sample) => [
  ...[match, filter, distribution, duration, timeouts, retry].map(({ wire }, index) =>
    bytes(index + 1, wire),
  ),
  varint(7, 1),
];
const httpRule = sample(
  o.HttpRoute_Rule,
  {
    matches: [httpMatch.value],
    filters: [httpFilter.value],
    backends: httpDistribution.value,
    requestTimeout: duration.value,
    timeouts: timeouts.value,
    retry: httpRetry.value,
    allowL5dRequestHeaders: true,
  },
  ...ruleWire(httpMatch, httpFilter, httpDistribution, httpRetry),
);
const grpcRule = sample(
  o.GrpcRoute_Rule,
  {
    matches: [grpcMatch.value],
    filters: [grpcFilter.value],
    backends: grpcDistribution.value,
    requestTimeout: duration.value,
    timeouts: timeouts.value,
    retry: grpcRetry.value,
    allowL5dRequestHeaders: true,
  },
  ...ruleWire(grpcMatch, grpcFilter, grpcDistribution, grpcRetry),
);
const opaqueRule = sample(
  o.OpaqueRoute_Rule,
  { backends: opaqueDistribution.value, filters: [opaqueFilter.value] },
  bytes(1, opaqueDistribution.wire),
  bytes(2, opaqueFilter.wire),
);
const tlsRule = sample(
  o.TlsRoute_Rule,
  { backends: tlsDistribution.value, filters: [tlsFilter.value] },
  bytes(1, tlsDistribution.wire),
  bytes(2, tlsFilter.wire),
);
const httpRoute = sample(
  o.HttpRoute,
  { metadata: metadata.value, hosts: [host.value], rules: [httpRule.value] },
  ...[metadata, host, httpRule].map(({ wire }, index) => bytes(index + 1, wire)),
);
const grpcRoute = sample(
  o.GrpcRoute,
  { metadata: metadata.value, hosts: [host.value], rules: [grpcRule.value] },
  ...[metadata, host, grpcRule].map(({ wire }, index) => bytes(index + 1, wire)),
);
const opaqueRoute = sample(
  o.OpaqueRoute,
  { metadata: metadata.value, rules: [opaqueRule.value] },
  bytes(1, metadata.wire),
  bytes(3, opaqueRule.wire),
);
const tlsRoute = sample(
  o.TlsRoute,
  { metadata: metadata.value, snis: [sni.value], rules: [tlsRule.value] },
  ...[metadata, sni, tlsRule].map(({ wire }, index) => bytes(index + 1, wire)),
);

const opaque = sample(o.ProxyProtocol_Opaque, { routes: [opaqueRoute.value] }, bytes(1, opaqueRoute.wire));
const http = { routes: [httpRoute.value], failureAccrual: accrual.value };
const httpWire = [bytes(1, httpRoute.wire), bytes(2, accrual.wire)];
const http1 = sample(o.ProxyProtocol_Http1, http, ...httpWire);
const http2 = sample(o.ProxyProtocol_Http2, http, ...httpWire);
const grpc = sample(
  o.ProxyProtocol_Grpc,
  { routes: [grpcRoute.value], failureAccrual: accrual.value },
  bytes(1, grpcRoute.wire),
  bytes(2, accrual.wire),
);
const tls = sample(o.ProxyProtocol_Tls, { routes: [tlsRoute.value] }, bytes(1, tlsRoute.wire));
const detect = sample(
  o.ProxyProtocol_Detect,
  { timeout: duration.value, opaque: opaque.value, http1: http1.value, http2: http2.value },
  ...[duration, opaque, http1, http2].map(({ wire }, index) => bytes(index + 1, wire)),
);
const protocol = sample(
  o.ProxyProtocol,
  { kind: { $case: 'detect', value: detect.value } },
  bytes(1, detect.wire),
);

export const outboundSamples = [
  sample(
    o.TrafficSpec,
    { sourceWorkload: '{}', target: { $case: 'addr', value: tcp.value } },
    bytes(1, '{}'),
    bytes(2, tcp.wire),
  ),
  sample(
    o.TrafficSpec,
    { sourceWorkload: '{}', target: { $case: 'authority', value: 'a:80' } },
    bytes(1, '{}'),
    bytes(3, 'a:80'),
  ),
  sample(
    o.OutboundPolicy,
    { protocol: protocol.value, metadata: metadata.value },
    bytes(1, protocol.wire),
    bytes(2, metadata.wire),
  ),
  protocol,
  sample(o.ProxyProtocol, { kind: { $case: 'opaque', value: opaque.value } }, bytes(2, opaque.wire)),
  sample(o.ProxyProtocol, { kind: { $case: 'http1', value: http1.value } }, bytes(3, http1.wire)),
  sample(o.ProxyProtocol, { kind: { $case: 'http2', value: http2.value } }, bytes(4, http2.wire)),
  sample(o.ProxyProtocol, { kind: { $case: 'grpc', value: grpc.value } }, bytes(5, grpc.wire)),
  sample(o.ProxyProtocol, { kind: { $case: 'tls', value: tls.value } }, bytes(6, tls.wire)),
  detect,
  opaque,
  http1,
  http2,
  grpc,
  tls,
  httpRoute,
  httpRule,
  httpFilter,
  sample(
    o.HttpRoute_Filter,
    { kind: { $case: 'failureInjector', value: injectHttp.value } },
    bytes(1, injectHttp.wire),
  ),
  sample(
    o.HttpRoute_Filter,
    { kind: { $case: 'requestHeaderModifier', value: modifyRequest.value } },
    bytes(2, modifyRequest.wire),
  ),
  sample(o.HttpRoute_Filter, { kind: { $case: 'redirect', value: redirect.value } }, bytes(3, redirect.wire)),
  httpDistribution,
  sample(o.HttpRoute_Distribution, { kind: { $case: 'empty', value: {} } }, bytes(1)),
  sample(
    o.HttpRoute_Distribution,
    { kind: { $case: 'randomAvailable', value: { backends: [httpWeighted] } } },
    bytes(3, httpParts.random),
  ),
  sample(o.HttpRoute_Distribution_Empty, {}),
  sample(o.HttpRoute_Distribution_FirstAvailable, httpFirst, httpParts.first),
  sample(o.HttpRoute_Distribution_RandomAvailable, { backends: [httpWeighted] }, httpParts.random),
  sample(o.HttpRoute_WeightedRouteBackend, httpWeighted, httpParts.weighted),
  httpBackend,
  httpRetry,
  httpConditions,
  range,
  grpcRoute,
  grpcRule,
  grpcFilter,
  sample(
    o.GrpcRoute_Filter,
    { kind: { $case: 'failureInjector', value: injectGrpc.value } },
    bytes(1, injectGrpc.wire),
  ),
  grpcDistribution,
  sample(o.GrpcRoute_Distribution, { kind: { $case: 'empty', value: {} } }, bytes(1)),
  sample(
    o.GrpcRoute_Distribution,
    { kind: { $case: 'randomAvailable', value: { backends: [grpcWeighted] } } },
    bytes(3, grpcParts.random),
  ),
  sample(o.GrpcRoute_Distribution_Empty, {}),
  sample(o.GrpcRoute_Distribution_FirstAvailable, grpcFirst, grpcParts.first),
  sample(o.GrpcRoute_Distribution_RandomAvailable, { backends: [grpcWeighted] }, grpcParts.random),
  sample(o.GrpcRoute_WeightedRouteBackend, grpcWeighted, grpcParts.weighted),
  grpcBackend,
  grpcRetry,
  grpcConditions,
  opaqueRoute,
  opaqueRule,
  opaqueFilter,
  sample(o.OpaqueRoute_Filter, { kind: { $case: 'invalid', value: invalid.value } }, bytes(1, invalid.wire)),
  opaqueDistribution,
  sample(o.OpaqueRoute_Distribution, { kind: { $case: 'empty', value: {} } }, bytes(1)),
  sample(
    o.OpaqueRoute_Distribution,
    { kind: { $case: 'randomAvailable', value: { backends: [opaqueWeighted] } } },
    bytes(3, opaqueParts.random),
  ),
  sample(o.OpaqueRoute_Distribution_Empty, {}),
  sample(o.OpaqueRoute_Distribution_FirstAvailable, opaqueFirst, opaqueParts.first),
  sample(o.OpaqueRoute_Distribution_RandomAvailable, { backends: [opaqueWeighted] }, opaqueParts.random),
  sample(o.OpaqueRoute_WeightedRouteBackend, opaqueWeighted, opaqueParts.weighted),
  opaqueBackend,
  tlsRoute,
  tlsRule,
  tlsFilter,
  sample(o.TlsRoute_Filter, { kind: { $case: 'invalid', value: invalid.value } }, bytes(1, invalid.wire)),
  tlsDistribution,
  sample(o.TlsRoute_Distribution, { kind: { $case: 'empty', value: {} } }, bytes(1)),
  sample(
    o.TlsRoute_Distribution,
    { kind: { $case: 'randomAvailable', value: { backends: [tlsWeighted] } } },
    bytes(3, tlsParts.random),
  ),
  sample(o.TlsRoute_Distribution_Empty, {}),
  sample(o.TlsRoute_Distribution_FirstAvailable, tlsFirst, tlsParts.first),
  sample(o.TlsRoute_Distribution_RandomAvailable, { backends: [tlsWeighted] }, tlsParts.random),
  sample(o.TlsRoute_WeightedRouteBackend, tlsWeighted, tlsParts.weighted),
  tlsBackend,
  ...outboundBackendSamples,
];
