import type {
  Authentication,
  Authorization,
  GrpcMatch,
  GrpcRoute,
  HttpMatch,
  HttpRoute,
  InboundProtocol,
  Meta,
  PathMatch,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import { type NetworkMatch, printNetwork } from '@gatehouse/core/ip-network';
import { printSuffix } from '@gatehouse/core/mesh/identity-match';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { Type } from 'typebox';
import type { Finding, GovernedBy, Grant, ObjectRef } from '../../core/inbound/model.ts';
import type { WorkloadPort } from '../../core/inbound/rows/inbound-rows.ts';
import type { InboundAnswer } from '../../core/inbound/rows/row-compiler.ts';

export const ObjectName = Type.Object({
  kind: Type.String(),
  namespace: Type.String(),
  name: Type.String(),
});

/** A client in one of the networks, with one of the identities. */
export const GrantItem = Type.Object({
  authentication: Type.String({
    description: '`unauthenticated`, `tls` (any certificate or none), or `identities`',
  }),
  identities: Type.Array(Type.String(), { description: '`*.x` stands for every name that ends in `.x`' }),
  networks: Type.Array(
    Type.Object({
      cidr: Type.String(),
      except: Type.Array(Type.String(), { description: 'Left out again' }),
    }),
  ),
});
export type GrantItem = Type.Static<typeof GrantItem>;

export const AuthorizationItem = Type.Object({
  ...GrantItem.properties,
  by: Type.String({ description: 'The policy object or default that grants it' }),
});

const RouteItem = Type.Object({
  by: Type.String(),
  hosts: Type.Array(Type.String(), { description: 'Empty = any' }),
  matches: Type.Array(Type.String(), { description: 'Any of them; empty = never' }),
  authorizations: Type.Array(AuthorizationItem, { description: 'Beside those of the port' }),
});

export const RowReport = Type.Object({
  workload: Type.Object({ namespace: Type.String(), pod: Type.String() }),
  port: Type.Integer(),
  version: Type.String({ description: 'Hash of the bytes that the proxy is sent' }),
  governedBy: Type.Object({
    kind: Type.String(),
    objects: Type.Array(ObjectName),
    base: Type.String({ description: 'The policy under the grants' }),
    from: Type.Optional(Type.String({ description: 'Whose default: pod, namespace or cluster' })),
  }),
  protocol: Type.String(),
  authorizations: Type.Array(AuthorizationItem, { description: 'For every request and for raw TCP' }),
  routes: Type.Array(RouteItem, {
    description: 'Empty = every request, with the authorizations of the port',
  }),
  contributions: Type.Array(
    Type.Object({ object: ObjectName, effect: Type.String(), grants: Type.Array(GrantItem) }),
  ),
  conditions: Type.Array(
    Type.Object({
      reason: Type.String(),
      about: Type.Union([ObjectName, Type.Null()], { description: 'null = the workload itself' }),
      message: Type.String(),
    }),
  ),
});
export type RowReport = Type.Static<typeof RowReport>;

/** A compiled row for people: the same row that the proxy is sent, and why it is so. */
export const rowReport = (asked: WorkloadPort, { compiled, encoded }: InboundAnswer): RowReport => {
  const { server, governedBy, contributions, findings } = compiled;
  return {
    workload: { namespace: asked.namespace, pod: asked.pod },
    port: asked.port,
    version: encoded.version,
    governedBy: governedByItem(governedBy),
    protocol: server.protocol.kind,
    authorizations: server.authorizations.map(authorizationItem),
    routes: routesOf(server.protocol),
    contributions: contributions.map(({ object, effect }) => ({
      object: { ...object },
      effect: effect.kind,
      grants: 'grants' in effect ? effect.grants.map(grantItem) : [],
    })),
    conditions: findings.map(({ reason, about, message }) => ({ reason, about: aboutItem(about), message })),
  };
};

export const grantItem = ({ networks, authentication }: Grant): GrantItem => ({
  authentication: authentication.kind,
  identities: identitiesOf(authentication),
  networks: networks.map(networkItem),
});

export const networkItem = ({ net, except }: NetworkMatch): GrantItem['networks'][number] => ({
  cidr: printNetwork(net),
  except: except.map(printNetwork),
});

const identitiesOf = (authentication: Authentication): string[] =>
  authentication.kind === 'identities'
    ? [...authentication.identities.map(printIdentity), ...authentication.suffixes.map(printSuffix)]
    : [];

const authorizationItem = (authorization: Authorization) => ({
  ...grantItem(authorization),
  by: printMeta(authorization.meta),
});

const printMeta = (meta: Meta): string =>
  meta.kind === 'default' ? `default ${meta.name}` : `${meta.resource.kind} ${meta.resource.name}`;

const governedByItem = (governedBy: GovernedBy): RowReport['governedBy'] => {
  const refs = (objects: readonly ObjectRef[]) => objects.map((object) => ({ ...object }));
  const { kind } = governedBy;
  switch (kind) {
    case 'server':
      return { kind, objects: refs([governedBy.server]), base: governedBy.base };
    case 'network-authentication-policies':
      return { kind, objects: refs(governedBy.policies), base: 'deny' };
    case 'default-policy':
      return { kind, objects: [], base: governedBy.base, from: governedBy.from };
    case 'unreadable-manifest':
    case 'unreadable-pod':
      return { kind, objects: [], base: 'deny' };
  }
};

const aboutItem = (about: Finding['about']): RowReport['conditions'][number]['about'] =>
  about.kind === 'workload' ? null : { ...about };

const routesOf = (protocol: InboundProtocol): RowReport['routes'] => {
  switch (protocol.kind) {
    case 'detect':
    case 'http1':
    case 'http2':
      return protocol.routes.map((route) => routeItem(route, printMatches(route.rules, printHttp)));
    case 'grpc':
      return protocol.routes.map((route) => routeItem(route, printMatches(route.rules, printGrpc)));
    case 'opaque':
    case 'tls':
      return [];
  }
};

/** A rule without matches is about every request. */
const printMatches = <Match>(
  rules: readonly { readonly matches: readonly Match[] }[],
  print: (match: Match) => string,
): string[] => rules.flatMap(({ matches }) => (matches.length === 0 ? ['* /*'] : matches.map(print)));

const routeItem = (
  { meta, hosts, authorizations }: Pick<HttpRoute | GrpcRoute, 'meta' | 'hosts' | 'authorizations'>,
  matches: string[],
): RowReport['routes'][number] => ({
  by: printMeta(meta),
  hosts: hosts.map((host) => (host.kind === 'exact' ? host.host : `*.${host.suffix}`)),
  matches,
  authorizations: authorizations.map(authorizationItem),
});

/** `GET /api/* x-tenant=blue`; a prefix ends in `/*`, a regular expression stands after `~`. */
const printHttp = ({ method, path, headers, queryParams }: HttpMatch): string =>
  [
    method ?? '*',
    path === undefined ? '/*' : printPath(path),
    ...headers.map(printValue),
    ...queryParams.map((param) => `?${printValue(param)}`),
  ].join(' ');

const printPath = ({ kind, value }: PathMatch): string => {
  switch (kind) {
    case 'exact':
      return value;
    case 'prefix':
      return `${value.endsWith('/') ? value : `${value}/`}*`;
    case 'regex':
      return `~${value}`;
  }
};

const printValue = ({ name, kind, value }: ValueMatch): string =>
  `${name}${kind === 'exact' ? '=' : '~'}${value}`;

const printGrpc = ({ service, method, headers }: GrpcMatch): string =>
  [`/${service || '*'}/${method || '*'}`, ...headers.map(printValue)].join(' ');
