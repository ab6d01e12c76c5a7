import type {
  Authorization,
  GrpcMatch,
  HttpMatch,
  InboundServer,
  Meta,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import { printNetwork } from '@gatehouse/core/ip-network';

const printMeta = (meta: Meta): string =>
  meta.kind === 'default' ? `default ${meta.name}` : `${meta.resource.kind} ${meta.resource.name}`;

const printAuthorization = ({ networks, authentication, meta }: Authorization): string => {
  const from = networks
    .map(({ net, except }) =>
      [printNetwork(net), ...except.map((hole) => `not ${printNetwork(hole)}`)].join(' '),
    )
    .join(', ');
  return `allow ${printAuthentication(authentication)} from ${from}  (${printMeta(meta)})`;
};

const printAuthentication = (authentication: Authorization['authentication']): string => {
  switch (authentication.kind) {
    case 'unauthenticated':
      return 'anybody';
    case 'tls':
      return 'any TLS client';
    case 'identities': {
      const suffixes = authentication.suffixes.map((parts) => ['*', ...parts].join('.'));
      return [...authentication.identities, ...suffixes].join(', ');
    }
  }
};

const printValue = ({ name, kind, value }: ValueMatch): string =>
  `${name}${kind === 'exact' ? '=' : '~'}${value}`;

const printHttpMatch = ({ path, method, headers, queryParams }: HttpMatch): string =>
  [
    method ?? 'any method',
    path === undefined ? 'any path' : `${path.kind} ${path.value}`,
    ...headers.map(printValue),
    ...queryParams.map((query) => `?${printValue(query)}`),
  ].join(' ');

const printGrpcMatch = ({ service, method, headers }: GrpcMatch): string =>
  [`${service || '*'}/${method || '*'}`, ...headers.map(printValue)].join(' ');

/** A row as people read it: protocol and base, who is admitted to all of it, then each route with its own. */
export const printServer = (server: InboundServer): string => {
  const { protocol } = server;
  const lines = [`${protocol.kind}, governed by ${printMeta(server.meta)}`];
  const admit = (authorizations: readonly Authorization[], indent: string): void => {
    for (const authorization of authorizations) lines.push(`${indent}${printAuthorization(authorization)}`);
  };
  if (server.authorizations.length === 0) lines.push('  admits nobody to everything');
  admit(server.authorizations, '  ');
  for (const { meta, matches, authorizations } of routesOf(server)) {
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
