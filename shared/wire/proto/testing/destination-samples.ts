import * as d from '../../gen/io/linkerd/proxy/destination.ts';
import { CertifyRequest, CertifyResponse } from '../../gen/io/linkerd/proxy/identity.ts';
import { duration, metadata, method, tcp } from './common-samples.ts';
import { bytes, entry, float, sample, varint } from './hand-made.ts';

/** Every message of identity and destination, numbers from contract/proxy.md §1.8. */

const dns = sample(d.TlsIdentity_DnsLikeIdentity, { name: 'a.mesh' }, bytes(1, 'a.mesh'));
const uri = sample(d.TlsIdentity_UriLikeIdentity, { uri: 'spiffe://a' }, bytes(1, 'spiffe://a'));
const tlsIdentity = sample(
  d.TlsIdentity,
  { strategy: { $case: 'dnsLikeIdentity', value: dns.value }, serverName: dns.value },
  bytes(1, dns.wire),
  bytes(4, dns.wire),
);
const opaqueTransport = sample(d.ProtocolHint_OpaqueTransport, { inboundPort: 4143 }, varint(1, 4143));
const h2 = sample(d.ProtocolHint_H2, {});
const opaque = sample(d.ProtocolHint_Opaque, {});
const hint = sample(
  d.ProtocolHint,
  { protocol: { $case: 'h2', value: {} }, opaqueTransport: opaqueTransport.value },
  bytes(1),
  bytes(2, opaqueTransport.wire),
);
const override = sample(d.AuthorityOverride, { authorityOverride: 'a:80' }, bytes(1, 'a:80'));
const flow = sample(
  d.Http2ClientParams_FlowControl,
  { initialConnectionWindowSize: 1, initialStreamWindowSize: 2, adaptiveFlowControl: true },
  varint(1, 1),
  varint(2, 2),
  varint(3, 1),
);
const keepAlive = sample(
  d.Http2ClientParams_KeepAlive,
  { interval: duration.value, timeout: duration.value, whileIdle: true },
  bytes(1, duration.wire),
  bytes(2, duration.wire),
  varint(3, 1),
);
const internals = sample(
  d.Http2ClientParams_Internals,
  { maxConcurrentResetStreams: 1, maxFrameSize: 2, maxSendBufSize: 3 },
  ...[1, 2, 3].map((field) => varint(field, field)),
);
const http2 = sample(
  d.Http2ClientParams,
  { flowControl: flow.value, keepAlive: keepAlive.value, internals: internals.value },
  ...[flow, keepAlive, internals].map(({ wire }, index) => bytes(index + 1, wire)),
);
export const weightedAddr = sample(
  d.WeightedAddr,
  {
    addr: tcp.value,
    weight: 10_000,
    metricLabels: { pod: 'a-1' },
    tlsIdentity: tlsIdentity.value,
    protocolHint: hint.value,
    authorityOverride: override.value,
    http2: http2.value,
    resourceRef: metadata.value,
  },
  bytes(1, tcp.wire),
  varint(3, 10_000),
  entry(4, 'pod', 'a-1'),
  ...[tlsIdentity, hint, override, http2, metadata].map(({ wire }, index) => bytes(index + 5, wire)),
);
const addrSet = sample(d.AddrSet, { addrs: [tcp.value, tcp.value] }, bytes(1, tcp.wire), bytes(1, tcp.wire));
const weightedSet = sample(
  d.WeightedAddrSet,
  { addrs: [weightedAddr.value], metricLabels: { service: 'a' } },
  bytes(1, weightedAddr.wire),
  entry(2, 'service', 'a'),
);
const noEndpoints = sample(d.NoEndpoints, { exists: true }, varint(1, 1));

const path = sample(d.PathMatch, { regex: '/a' }, bytes(1, '/a'));
const byPath = sample(d.RequestMatch, { match: { $case: 'path', value: path.value } }, bytes(4, path.wire));
const requests = sample(d.RequestMatch_Seq, { matches: [byPath.value] }, bytes(1, byPath.wire));
const status = sample(d.HttpStatusRange, { min: 500, max: 599 }, varint(1, 500), varint(2, 599));
const byStatus = sample(
  d.ResponseMatch,
  { match: { $case: 'status', value: status.value } },
  bytes(4, status.wire),
);
const responses = sample(d.ResponseMatch_Seq, { matches: [byStatus.value] }, bytes(1, byStatus.wire));
const responseClass = sample(
  d.ResponseClass,
  { condition: byStatus.value, isFailure: true },
  bytes(1, byStatus.wire),
  varint(2, 1),
);
const route = sample(
  d.Route,
  {
    condition: byPath.value,
    responseClasses: [responseClass.value],
    metricsLabels: { route: 'a' },
    isRetryable: true,
    timeout: duration.value,
  },
  bytes(1, byPath.wire),
  bytes(2, responseClass.wire),
  entry(3, 'route', 'a'),
  varint(4, 1),
  bytes(5, duration.wire),
);
const budget = sample(
  d.RetryBudget,
  { retryRatio: 0.25, minRetriesPerSecond: 10, ttl: duration.value },
  float(1, 0.25),
  varint(2, 10),
  bytes(3, duration.wire),
);
const weightedDst = sample(
  d.WeightedDst,
  { authority: 'a:80', weight: 1, backendRef: metadata.value },
  bytes(1, 'a:80'),
  varint(2, 1),
  bytes(3, metadata.wire),
);

export const destinationSamples = [
  sample(
    CertifyRequest,
    { identity: 'a.mesh', token: Buffer.from('t'), certificateSigningRequest: Buffer.from('c') },
    bytes(1, 'a.mesh'),
    bytes(2, 't'),
    bytes(3, 'c'),
  ),
  sample(
    CertifyResponse,
    {
      leafCertificate: Buffer.from('l'),
      intermediateCertificates: [Buffer.from('i'), Buffer.from('j')],
      validUntil: new Date(1_500),
    },
    bytes(1, 'l'),
    bytes(2, 'i'),
    bytes(2, 'j'),
    bytes(3, Buffer.concat([varint(1, 1), varint(2, 500_000_000)])),
  ),
  sample(
    d.GetDestination,
    { scheme: 'k8s', path: 'a:80', contextToken: '{}' },
    bytes(1, 'k8s'),
    bytes(2, 'a:80'),
    bytes(3, '{}'),
  ),
  dns,
  uri,
  tlsIdentity,
  sample(
    d.TlsIdentity,
    { strategy: { $case: 'uriLikeIdentity', value: uri.value }, serverName: dns.value },
    bytes(3, uri.wire),
    bytes(4, dns.wire),
  ),
  opaqueTransport,
  h2,
  opaque,
  hint,
  sample(d.ProtocolHint, { protocol: { $case: 'opaque', value: {} }, opaqueTransport: undefined }, bytes(3)),
  override,
  flow,
  keepAlive,
  internals,
  http2,
  weightedAddr,
  addrSet,
  weightedSet,
  noEndpoints,
  sample(d.Update, { update: { $case: 'add', value: weightedSet.value } }, bytes(1, weightedSet.wire)),
  sample(d.Update, { update: { $case: 'remove', value: addrSet.value } }, bytes(2, addrSet.wire)),
  sample(
    d.Update,
    { update: { $case: 'noEndpoints', value: noEndpoints.value } },
    bytes(3, noEndpoints.wire),
  ),
  path,
  byPath,
  requests,
  sample(d.RequestMatch, { match: { $case: 'all', value: requests.value } }, bytes(1, requests.wire)),
  sample(d.RequestMatch, { match: { $case: 'any', value: requests.value } }, bytes(2, requests.wire)),
  sample(d.RequestMatch, { match: { $case: 'not', value: byPath.value } }, bytes(3, byPath.wire)),
  sample(d.RequestMatch, { match: { $case: 'method', value: method.value } }, bytes(5, method.wire)),
  status,
  byStatus,
  responses,
  sample(d.ResponseMatch, { match: { $case: 'all', value: responses.value } }, bytes(1, responses.wire)),
  sample(d.ResponseMatch, { match: { $case: 'any', value: responses.value } }, bytes(2, responses.wire)),
  sample(d.ResponseMatch, { match: { $case: 'not', value: byStatus.value } }, bytes(3, byStatus.wire)),
  responseClass,
  route,
  budget,
  weightedDst,
  sample(
    d.DestinationProfile,
    {
      routes: [route.value],
      retryBudget: budget.value,
      dstOverrides: [weightedDst.value],
      opaqueProtocol: true,
      fullyQualifiedName: 'a',
      endpoint: weightedAddr.value,
      parentRef: metadata.value,
      profileRef: metadata.value,
    },
    bytes(1, route.wire),
    bytes(2, budget.wire),
    bytes(3, weightedDst.wire),
    varint(4, 1),
    bytes(5, 'a'),
    bytes(6, weightedAddr.wire),
    bytes(7, metadata.wire),
    bytes(8, metadata.wire),
  ),
];
