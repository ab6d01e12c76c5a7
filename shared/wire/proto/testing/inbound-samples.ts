import * as i from '../../gen/io/linkerd/proxy/inbound.ts';
import {
  duration,
  grpcMatch,
  host,
  httpMatch,
  injectGrpc,
  injectHttp,
  ip,
  metadata,
  modifyRequest,
  network as net,
  redirect,
} from './common-samples.ts';
import { bytes, entry, sample, varint } from './hand-made.ts';

/** Every message of inbound, numbers from contract/proxy.md §1.8. */

const network = sample(
  i.Network,
  { net: net.value, except: [net.value, net.value] },
  bytes(1, net.wire),
  bytes(2, net.wire),
  bytes(2, net.wire),
);
const anyone = sample(i.Authn_PermitUnauthenticated, {});
const identity = sample(i.Identity, { name: 'a.mesh' }, bytes(1, 'a.mesh'));
const suffix = sample(i.IdentitySuffix, { parts: ['foo', 'bar'] }, bytes(1, 'foo'), bytes(1, 'bar'));
const clients = sample(
  i.Authn_PermitMeshTLS_PermitClientIdentities,
  { identities: [identity.value], suffixes: [suffix.value] },
  bytes(1, identity.wire),
  bytes(2, suffix.wire),
);
const meshTls = sample(
  i.Authn_PermitMeshTLS,
  { clients: { $case: 'identities', value: clients.value } },
  bytes(2, clients.wire),
);
const authn = sample(i.Authn, { permit: { $case: 'meshTLS', value: meshTls.value } }, bytes(2, meshTls.wire));
const authz = sample(
  i.Authz,
  {
    networks: [network.value],
    authentication: authn.value,
    labels: { name: 'n' },
    metadata: metadata.value,
  },
  bytes(1, network.wire),
  bytes(2, authn.wire),
  entry(3, 'name', 'n'),
  bytes(4, metadata.wire),
);

const httpFilter = sample(
  i.HttpRoute_Filter,
  { kind: { $case: 'redirect', value: redirect.value } },
  bytes(3, redirect.wire),
);
const httpRule = sample(
  i.HttpRoute_Rule,
  { matches: [httpMatch.value], filters: [httpFilter.value] },
  bytes(1, httpMatch.wire),
  bytes(2, httpFilter.wire),
);
const httpRoute = sample(
  i.HttpRoute,
  { metadata: metadata.value, hosts: [host.value], authorizations: [authz.value], rules: [httpRule.value] },
  ...[metadata, host, authz, httpRule].map(({ wire }, index) => bytes(index + 1, wire)),
);
const grpcFilter = sample(
  i.GrpcRoute_Filter,
  { kind: { $case: 'failureInjector', value: injectGrpc.value } },
  bytes(1, injectGrpc.wire),
);
const grpcRule = sample(
  i.GrpcRoute_Rule,
  { matches: [grpcMatch.value], filters: [grpcFilter.value] },
  bytes(1, grpcMatch.wire),
  bytes(2, grpcFilter.wire),
);
const grpcRoute = sample(
  i.GrpcRoute,
  { metadata: metadata.value, hosts: [host.value], authorizations: [authz.value], rules: [grpcRule.value] },
  ...[metadata, host, authz, grpcRule].map(({ wire }, index) => bytes(index + 1, wire)),
);

const limit = sample(i.HttpLocalRateLimit_Limit, { requestsPerSecond: 50 }, varint(1, 50));
const limited = sample(
  i.HttpLocalRateLimit_Override_ClientIdentities,
  { identities: [identity.value] },
  bytes(1, identity.wire),
);
const override = sample(
  i.HttpLocalRateLimit_Override,
  { limit: limit.value, clients: limited.value },
  bytes(1, limit.wire),
  bytes(2, limited.wire),
);
const rateLimit = sample(
  i.HttpLocalRateLimit,
  { metadata: metadata.value, total: limit.value, identity: limit.value, overrides: [override.value] },
  ...[metadata, limit, limit, override].map(({ wire }, index) => bytes(index + 1, wire)),
);

const detect = sample(
  i.ProxyProtocol_Detect,
  { timeout: duration.value, httpRoutes: [httpRoute.value], httpLocalRateLimit: rateLimit.value },
  bytes(1, duration.wire),
  bytes(3, httpRoute.wire),
  bytes(4, rateLimit.wire),
);
const http = { routes: [httpRoute.value], localRateLimit: rateLimit.value };
const httpWire = [bytes(2, httpRoute.wire), bytes(3, rateLimit.wire)];
const http1 = sample(i.ProxyProtocol_Http1, http, ...httpWire);
const http2 = sample(i.ProxyProtocol_Http2, http, ...httpWire);
const grpc = sample(i.ProxyProtocol_Grpc, { routes: [grpcRoute.value] }, bytes(2, grpcRoute.wire));
const opaque = sample(i.ProxyProtocol_Opaque, {});
const tls = sample(i.ProxyProtocol_Tls, {});
const protocol = sample(
  i.ProxyProtocol,
  { kind: { $case: 'detect', value: detect.value } },
  bytes(1, detect.wire),
);

export const inboundSamples = [
  sample(i.PortSpec, { workload: '{}', port: 8080 }, bytes(1, '{}'), varint(2, 8080)),
  network,
  anyone,
  identity,
  suffix,
  clients,
  meshTls,
  sample(i.Authn_PermitMeshTLS, { clients: { $case: 'unauthenticated', value: {} } }, bytes(1)),
  authn,
  sample(i.Authn, { permit: { $case: 'unauthenticated', value: {} } }, bytes(1)),
  authz,
  httpFilter,
  sample(
    i.HttpRoute_Filter,
    { kind: { $case: 'failureInjector', value: injectHttp.value } },
    bytes(1, injectHttp.wire),
  ),
  sample(
    i.HttpRoute_Filter,
    { kind: { $case: 'requestHeaderModifier', value: modifyRequest.value } },
    bytes(2, modifyRequest.wire),
  ),
  httpRule,
  httpRoute,
  grpcFilter,
  sample(
    i.GrpcRoute_Filter,
    { kind: { $case: 'requestHeaderModifier', value: modifyRequest.value } },
    bytes(2, modifyRequest.wire),
  ),
  grpcRule,
  grpcRoute,
  limit,
  limited,
  override,
  rateLimit,
  detect,
  http1,
  http2,
  grpc,
  opaque,
  tls,
  protocol,
  sample(i.ProxyProtocol, { kind: { $case: 'opaque', value: {} } }, bytes(2)),
  sample(i.ProxyProtocol, { kind: { $case: 'tls', value: {} } }, bytes(3)),
  sample(i.ProxyProtocol, { kind: { $case: 'http1', value: http1.value } }, bytes(4, http1.wire)),
  sample(i.ProxyProtocol, { kind: { $case: 'http2', value: http2.value } }, bytes(5, http2.wire)),
  sample(i.ProxyProtocol, { kind: { $case: 'grpc', value: grpc.value } }, bytes(6, grpc.wire)),
  sample(
    i.Server,
    {
      protocol: protocol.value,
      serverIps: [ip.value],
      authorizations: [authz.value, authz.value],
      labels: { name: 'n' },
    },
    bytes(1, protocol.wire),
    bytes(2, ip.wire),
    bytes(3, authz.wire),
    bytes(3, authz.wire),
    entry(4, 'name', 'n'),
  ),
];
