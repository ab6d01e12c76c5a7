import type {
  Authorization,
  GrpcMatch,
  HttpMatch,
  InboundServer,
  LocalRateLimit,
  Meta,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import { rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import { unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { printNetwork } from '@gatehouse/core/ip-network';
import { type Identity, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';

const printMeta = (meta: Meta): string =>
  meta.kind === 'default' ? `default ${meta.name}` : `${meta.resource.kind} ${meta.resource.name}`;

const printAuthorization = ({ networks, authentication, meta }: Authorization, mesh: Mesh): string => {
  const from = networks
    .map(({ net, except }) =>
      [printNetwork(net), ...except.map((hole) => `not ${printNetwork(hole)}`)].join(' '),
    )
    .join(', ');
  return `allow ${printAuthentication(authentication, mesh)} from ${from}  (${printMeta(meta)})`;
};

/** An identity of this mesh without what all of them end in: `default.demo`. */
const shortIdentity = (identity: Identity, mesh: Mesh): string =>
  identity.kind === 'workload' &&
  identity.controlPlaneNamespace === mesh.controlPlaneNamespace &&
  identity.trustDomain === mesh.trustDomain
    ? `${identity.serviceAccount}.${identity.namespace}`
    : printIdentity(identity);

const printAuthentication = (authentication: Authorization['authentication'], mesh: Mesh): string => {
  switch (authentication.kind) {
    case 'unauthenticated':
      return 'anybody';
    case 'tls':
      return 'any TLS client';
    case 'identities': {
      const suffixes = authentication.suffixes.map((parts) => ['*', ...parts].join('.'));
      const identities = authentication.identities.map((identity) => shortIdentity(identity, mesh));
      return [...identities, ...suffixes].join(', ');
    }
  }
};

const printLimits = ({ total, identity, overrides, meta }: LocalRateLimit, mesh: Mesh): string => {
  const limits = [
    ...(total === undefined ? [] : [`all clients together to ${total}/s`]),
    ...(identity === undefined ? [] : [`each identity to ${identity}/s`]),
    ...overrides.map(
      ({ requestsPerSecond, identities }) =>
        `${identities.map((each) => shortIdentity(each, mesh)).join(' and ')} to ${requestsPerSecond}/s`,
    ),
  ];
  return `${limits.join(', ')}${meta === undefined ? '' : `  (${printMeta(meta)})`}`;
};

const printValue = ({ name, kind, value }: ValueMatch): string =>
  `${name}${kind === 'exact' ? '=' : '~'}${value}`;

/** The guard's expression is long and always the same; docs/policy.md has it. */
const printPath = ({ kind, value }: NonNullable<HttpMatch['path']>): string =>
  kind === 'regex' && value === unnormalizedPath ? 'a path that is not normalized' : `${kind} ${value}`;

const printHttpMatch = ({ path, method, headers, queryParams }: HttpMatch): string =>
  [
    method ?? 'any method',
    path === undefined ? 'any path' : printPath(path),
    ...headers.map(printValue),
    ...queryParams.map((query) => `?${printValue(query)}`),
  ].join(' ');

const printGrpcMatch = ({ service, method, headers }: GrpcMatch): string =>
  [`${service || '*'}/${method || '*'}`, ...headers.map(printValue)].join(' ');

/** A row as people read it: protocol and base, who is allowed on all of it, then each route with its own. */
export const printServer = (server: InboundServer, mesh: Mesh): string => {
  const { protocol } = server;
  const lines = [`${protocol.kind}, governed by ${printMeta(server.meta)}`];
  const admit = (authorizations: readonly Authorization[], indent: string): void => {
    for (const authorization of authorizations)
      lines.push(`${indent}${printAuthorization(authorization, mesh)}`);
  };
  const limit = rateLimitOf(protocol);
  if (limit !== undefined) lines.push(`  limits ${printLimits(limit, mesh)}`);
  const routes = routesOf(server);
  if (server.authorizations.length === 0) {
    const byRoute = routes.some(({ authorizations }) => authorizations.length > 0);
    lines.push(byRoute ? '  denies what no route below allows' : '  denies all traffic');
  }
  admit(server.authorizations, '  ');
  for (const { meta, matches, authorizations } of routes) {
    lines.push(`  route ${printMeta(meta)}: ${matches.length === 0 ? 'every request' : matches.join(' | ')}`);
    admit(authorizations, '    ');
  }
  return lines.join('\n');
};

interface PrintedRoute {
  readonly meta: Meta;
  readonly matches: readonly string[];
  readonly authorizations: readonly Authorization[];
}

const routesOf = ({ protocol }: InboundServer): readonly PrintedRoute[] => {
  switch (protocol.kind) {
    case 'opaque':
    case 'tls':
      return [];
    case 'grpc':
      return protocol.routes.map(({ rules, ...route }) => ({
        ...route,
        matches: rules.flatMap(({ matches }) => matches.map(printGrpcMatch)),
      }));
    case 'detect':
    case 'http1':
    case 'http2':
      return protocol.routes.map(({ rules, ...route }) => ({
        ...route,
        matches: rules.flatMap(({ matches }) => matches.map(printHttpMatch)),
      }));
  }
};
