import type {
  Authentication,
  Authorization,
  GrpcRoute,
  HttpFilter,
  HttpRoute,
  InboundProtocol,
  InboundServer,
  LimitOverride,
  LocalRateLimit,
  Meta,
  RequestHeadersFilter,
} from '@gatehouse/core/inbound/inbound-server';
import type { NetworkMatch } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, problem } from '@gatehouse/core/problem';
import type { Duration } from '../gen/google/protobuf/duration.ts';
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
} from '../gen/io/linkerd/proxy/inbound.ts';
import type { Metadata } from '../gen/io/linkerd/proxy/meta.ts';
import {
  type CheckRegex,
  decodeGrpcMatch,
  decodeHost,
  decodeHttpMatch,
  decodeRedirect,
  decodeRequestHeaders,
} from './decode-http.ts';
import { decodeDuration } from './duration.ts';
import { decodeNetwork } from './ip.ts';
import { each, reading, required, unreadable } from './unreadable.ts';

/**
 * Reads a WatchPort message as the proxy does (`contract/proxy.md` §1.5): one unreadable part makes the whole Server
 * invalid, and an invalid Server admits nobody. Failure injectors are not in our words yet, so a message that has one is
 * refused rather than enforced by half.
 */
export const decodeInbound = (bytes: Uint8Array, checkRegex: CheckRegex): Parsed<InboundServer> => {
  let message: Server;
  try {
    message = Server.decode(bytes);
  } catch {
    return problem('', 'the bytes are not a Server message', 'send inbound.Server as protobuf');
  }
  return reading(() => ({
    protocol: decodeProtocol(required(message.protocol, 'protocol'), checkRegex),
    authorizations: each(message.authorizations, 'authorizations', decodeAuthorization),
    meta: decodeLabels(message.labels, { field: 'labels', kind: 'server' }),
  }));
};

const decodeProtocol = (protocol: ProxyProtocol, checkRegex: CheckRegex): InboundProtocol => {
  const kind = required(protocol.kind, 'protocol.kind');
  const field = `protocol.${kind.$case}`;
  switch (kind.$case) {
    case 'detect':
      return {
        kind: 'detect',
        timeoutMs: decodeTimeout(kind.value.timeout, `${field}.timeout`),
        routes: each(kind.value.httpRoutes, `${field}.httpRoutes`, decodeHttpRoute(checkRegex)),
        ...decodeRateLimit(kind.value.httpLocalRateLimit, `${field}.httpLocalRateLimit`),
      };
    case 'http1':
    case 'http2':
      return {
        kind: kind.$case,
        routes: each(kind.value.routes, `${field}.routes`, decodeHttpRoute(checkRegex)),
        ...decodeRateLimit(kind.value.localRateLimit, `${field}.localRateLimit`),
      };
    case 'grpc':
      return {
        kind: 'grpc',
        routes: each(kind.value.routes, `${field}.routes`, decodeGrpcRoute(checkRegex)),
      };
    case 'opaque':
    case 'tls':
      return { kind: kind.$case };
  }
};

/** An override without a limit is dropped, and 0 is no limit. */
const decodeRateLimit = (
  limit: HttpLocalRateLimit | undefined,
  field: string,
): { readonly rateLimit?: LocalRateLimit } => {
  if (limit === undefined) return {};
  const { metadata, total, identity, overrides } = limit;
  return {
    rateLimit: {
      meta: metadata === undefined ? undefined : decodeMeta(metadata, `${field}.metadata`),
      total: total?.requestsPerSecond || undefined,
      identity: identity?.requestsPerSecond || undefined,
      overrides: overrides.flatMap(({ limit: own, clients }): readonly LimitOverride[] => {
        const requestsPerSecond = own?.requestsPerSecond ?? 0;
        if (requestsPerSecond === 0) return [];
        const identities = (clients?.identities ?? []).map(({ name }) => parseIdentity(name));
        return [{ requestsPerSecond, identities }];
      }),
    },
  };
};

const decodeTimeout = (timeout: Duration | undefined, field: string): number => {
  const ms = required(decodeDuration(timeout), field);
  return ms < 0 ? unreadable(field, `${ms} ms`, 'a duration of 0 or more') : ms;
};

const decodeAuthorization = (authz: Authz, field: string): Authorization => {
  if (authz.networks.length === 0) unreadable(`${field}.networks`, 'none', 'at least one is required');
  return {
    networks: each(authz.networks, `${field}.networks`, decodeNetworkMatch),
    authentication: decodeAuthentication(authz.authentication, `${field}.authentication`),
    meta:
      authz.metadata === undefined
        ? decodeLabels(authz.labels, { field: `${field}.labels`, kind: 'serverauthorization' })
        : decodeMeta(authz.metadata, `${field}.metadata`),
  };
};

const decodeNetworkMatch = ({ net, except }: Network, field: string): NetworkMatch => ({
  net: required(decodeNetwork(net), `${field}.net`),
  except: each(except, `${field}.except`, (hole, at) => required(decodeNetwork(hole), at)),
});

const decodeAuthentication = (authentication: Authn | undefined, field: string): Authentication => {
  const permit = required(authentication?.permit, `${field}.permit`);
  if (permit.$case === 'unauthenticated') return { kind: 'unauthenticated' };
  const clients = required(permit.value.clients, `${field}.permit.meshTLS.clients`);
  if (clients.$case === 'unauthenticated') return { kind: 'tls' };
  return {
    kind: 'identities',
    identities: clients.value.identities.map(({ name }) => parseIdentity(name)),
    suffixes: clients.value.suffixes.map(({ parts }) => parts),
  };
};

const decodeMeta = (metadata: Metadata | undefined, field: string): Meta => {
  const kind = required(metadata?.kind, `${field}.kind`);
  if (kind.$case === 'default') return { kind: 'default', name: kind.value };
  return {
    kind: 'resource',
    resource: { group: kind.value.group, kind: kind.value.kind, name: kind.value.name },
  };
};

/** The form before `metadata`: a name such as `default:deny` without a kind is a default's. */
const decodeLabels = (labels: Server['labels'], where: { field: string; kind: string }): Meta => {
  const name = required(labels.name, `${where.field}.name`);
  const { group = 'policy.linkerd.io', kind } = labels;
  if (kind === undefined) {
    return name.startsWith('default:')
      ? { kind: 'default', name: name.slice('default:'.length) }
      : { kind: 'resource', resource: { group, kind: where.kind, name } };
  }
  return group === '' && kind === 'default'
    ? { kind: 'default', name }
    : { kind: 'resource', resource: { group, kind, name } };
};

const decodeHttpRoute =
  (checkRegex: CheckRegex) =>
  (route: HttpRouteMessage, field: string): HttpRoute => ({
    meta: decodeMeta(route.metadata, `${field}.metadata`),
    hosts: each(route.hosts, `${field}.hosts`, decodeHost),
    authorizations: each(route.authorizations, `${field}.authorizations`, decodeAuthorization),
    rules: each(route.rules, `${field}.rules`, (rule, at) => ({
      matches: each(rule.matches, `${at}.matches`, decodeHttpMatch(checkRegex)),
      filters: each(rule.filters, `${at}.filters`, decodeHttpFilter),
    })),
  });

const decodeGrpcRoute =
  (checkRegex: CheckRegex) =>
  (route: GrpcRouteMessage, field: string): GrpcRoute => ({
    meta: decodeMeta(route.metadata, `${field}.metadata`),
    hosts: each(route.hosts, `${field}.hosts`, decodeHost),
    authorizations: each(route.authorizations, `${field}.authorizations`, decodeAuthorization),
    rules: each(route.rules, `${field}.rules`, (rule, at) => ({
      matches: each(rule.matches, `${at}.matches`, decodeGrpcMatch(checkRegex)),
      filters: each(rule.filters, `${at}.filters`, decodeGrpcFilter),
    })),
  });

const decodeHttpFilter = ({ kind }: HttpRoute_Filter, field: string): HttpFilter => {
  const filter = required(kind, field);
  switch (filter.$case) {
    case 'requestHeaderModifier':
      return decodeRequestHeaders(filter.value, field);
    case 'redirect':
      return decodeRedirect(filter.value, field);
    case 'failureInjector':
      return unreadable(field, 'a failure injector', 'this reader injects none');
  }
};

const decodeGrpcFilter = ({ kind }: GrpcRoute_Filter, field: string): RequestHeadersFilter => {
  const filter = required(kind, field);
  return filter.$case === 'requestHeaderModifier'
    ? decodeRequestHeaders(filter.value, field)
    : unreadable(field, 'a failure injector', 'this reader injects none');
};
