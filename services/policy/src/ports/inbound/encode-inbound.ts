import type {
  Authentication,
  Authorization,
  GrpcRoute,
  HttpFilter,
  HttpRoute,
  InboundProtocol,
  InboundServer,
  LocalRateLimit,
  Meta,
  RequestHeadersFilter,
} from '@gatehouse/core/inbound/inbound-server';
import type { NetworkMatch } from '@gatehouse/core/ip-network';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { encodeDuration } from '@gatehouse/wire/duration';
import {
  type Authn,
  type Authz,
  type GrpcRoute_Filter,
  type GrpcRoute as GrpcRouteMessage,
  type HttpLocalRateLimit,
  type HttpRoute_Filter,
  type HttpRoute as HttpRouteMessage,
  type Network,
  type ProxyProtocol,
  Server,
} from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { encodeNetwork } from '@gatehouse/wire/ip';
import {
  encodeHeaderMatch,
  encodeHost,
  encodeHttpMatch,
  encodeMeta,
  encodeRedirect,
  encodeRequestHeaders,
} from './encode-http.ts';

/**
 * The bytes of one row for the wire, in the form of `contract/linkerd-semantics.md` §2.9. Everything that
 * `contract/proxy.md` §1.5 requires is set here: leaving out one makes the proxy close the whole port.
 */
export const encodeInbound = (server: InboundServer): Uint8Array =>
  Server.encode(inboundMessage(server)).finish();

export const inboundMessage = (server: InboundServer): Server => ({
  protocol: encodeProtocol(server.protocol),
  serverIps: [],
  authorizations: server.authorizations.map(encodeAuthorization),
  labels: encodeLabels(server.meta),
});

const encodeProtocol = (protocol: InboundProtocol): ProxyProtocol => {
  switch (protocol.kind) {
    case 'detect':
      return {
        kind: {
          $case: 'detect',
          value: {
            timeout: encodeDuration(protocol.timeoutMs),
            httpRoutes: protocol.routes.map(encodeHttpRoute),
            httpLocalRateLimit: encodeRateLimit(protocol.rateLimit),
          },
        },
      };
    case 'http1':
    case 'http2':
      return {
        kind: {
          $case: protocol.kind,
          value: {
            routes: protocol.routes.map(encodeHttpRoute),
            localRateLimit: encodeRateLimit(protocol.rateLimit),
          },
        },
      };
    case 'grpc':
      return { kind: { $case: 'grpc', value: { routes: protocol.routes.map(encodeGrpcRoute) } } };
    case 'opaque':
    case 'tls':
      return { kind: { $case: protocol.kind, value: {} } };
  }
};

const encodeRateLimit = (limit: LocalRateLimit | undefined): HttpLocalRateLimit | undefined =>
  limit && {
    metadata: limit.meta && encodeMeta(limit.meta),
    total: encodeLimit(limit.total),
    identity: encodeLimit(limit.identity),
    overrides: limit.overrides.map(({ requestsPerSecond, identities }) => ({
      limit: { requestsPerSecond },
      clients: { identities: identities.map((identity) => ({ name: printIdentity(identity) })) },
    })),
  };

const encodeLimit = (requestsPerSecond: number | undefined): HttpLocalRateLimit['total'] =>
  requestsPerSecond === undefined ? undefined : { requestsPerSecond };

/** `labels` is deprecated in favour of `metadata`, but Linkerd still sends both and its users' tests read the former. */
const encodeAuthorization = (authorization: Authorization): Authz => ({
  networks: authorization.networks.map(encodeNetworkMatch),
  authentication: encodeAuthentication(authorization.authentication),
  labels: encodeLabels(authorization.meta),
  metadata: encodeMeta(authorization.meta),
});

const encodeNetworkMatch = ({ net, except }: NetworkMatch): Network => ({
  net: encodeNetwork(net),
  except: except.map(encodeNetwork),
});

const encodeAuthentication = (authentication: Authentication): Authn => {
  switch (authentication.kind) {
    case 'unauthenticated':
      return { permit: { $case: 'unauthenticated', value: {} } };
    case 'tls':
      return { permit: { $case: 'meshTLS', value: { clients: { $case: 'unauthenticated', value: {} } } } };
    case 'identities': {
      const identities = authentication.identities.map((identity) => ({ name: printIdentity(identity) }));
      const suffixes = authentication.suffixes.map((parts) => ({ parts: [...parts] }));
      return {
        permit: {
          $case: 'meshTLS',
          value: { clients: { $case: 'identities', value: { identities, suffixes } } },
        },
      };
    }
  }
};

const encodeLabels = (meta: Meta): Server['labels'] =>
  meta.kind === 'default' ? { group: '', kind: 'default', name: meta.name } : { ...meta.resource };

const encodeHttpRoute = (route: HttpRoute): HttpRouteMessage => ({
  metadata: encodeMeta(route.meta),
  hosts: route.hosts.map(encodeHost),
  authorizations: route.authorizations.map(encodeAuthorization),
  rules: route.rules.map(({ matches, filters }) => ({
    matches: matches.map(encodeHttpMatch),
    filters: filters.map(encodeHttpFilter),
  })),
});

const encodeGrpcRoute = (route: GrpcRoute): GrpcRouteMessage => ({
  metadata: encodeMeta(route.meta),
  hosts: route.hosts.map(encodeHost),
  authorizations: route.authorizations.map(encodeAuthorization),
  rules: route.rules.map(({ matches, filters }) => ({
    matches: matches.map(({ service, method, headers }) => ({
      rpc: { service, method },
      headers: headers.map(encodeHeaderMatch),
    })),
    filters: filters.map(encodeGrpcFilter),
  })),
});

const encodeHttpFilter = (filter: HttpFilter): HttpRoute_Filter => {
  switch (filter.kind) {
    case 'request-headers':
      return { kind: { $case: 'requestHeaderModifier', value: encodeRequestHeaders(filter) } };
    case 'redirect':
      return { kind: { $case: 'redirect', value: encodeRedirect(filter) } };
  }
};

const encodeGrpcFilter = (filter: RequestHeadersFilter): GrpcRoute_Filter => ({
  kind: { $case: 'requestHeaderModifier', value: encodeRequestHeaders(filter) },
});
