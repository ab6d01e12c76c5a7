import type { Client, Limit, Row, ToldServer } from '../reach/policy-answers.ts';
import {
  because,
  governorOf,
  printClient,
  printFrom,
  printRequests,
  shortBehind,
  shortIdentity,
} from './policy-words.ts';
import { wrap } from './wrap.ts';

const protocols: Readonly<Record<string, string>> = {
  detect: 'HTTP where the first bytes look like it, else bytes',
  http1: 'HTTP/1',
  http2: 'HTTP/2',
  grpc: 'gRPC',
  opaque: 'bytes',
  tls: "the application's own TLS",
};

/** Names before values, one below the other; with a width, values go on below themselves. */
export const printFields = (
  fields: readonly (readonly [name: string, value: string])[],
  width = Number.POSITIVE_INFINITY,
): string => {
  const names = Math.max(...fields.map(([name]) => name.length));
  const indent = ' '.repeat(names + 4);
  return fields.map(([name, value]) => wrap(`  ${name.padEnd(names)}  ${value}`, width, indent)).join('\n');
};

/** What a port does, as name and value: the same whether the row comes from the REST API or from the wire. */
export const fieldsOf = (
  server: ToldServer,
  about: {
    readonly governedBy: string;
    readonly because: (client: Client) => string;
    readonly self: string | null;
  },
): readonly (readonly [string, string])[] => [
  ['protocol', protocols[server.protocol] ?? server.protocol],
  ['governed by', about.governedBy],
  ...clientFields(server, about),
  ...limitFields(server.rateLimit, about.self),
  ...restOf(server),
];

export const rowFields = (row: Row, self: string | null): readonly (readonly [string, string])[] => {
  const { governedBy } = row;
  return fieldsOf(row, {
    governedBy: `${governorOf(row)}${governedBy.kind === 'default-policy' ? '' : `, base ${governedBy.base}`}`,
    because: (client) => because(client, governedBy),
    self,
  });
};

const clientFields = (
  { clients }: ToldServer,
  about: { readonly because: (client: Client) => string; readonly self: string | null },
): readonly (readonly [string, string])[] => {
  if (clients.length === 0) return [['admits', 'nobody']];
  return clients.map((client, at) => [
    at === 0 ? 'admits' : '',
    `${printClient(client, about.self, 'few')} from ${printFrom(client, 'few')}: ${said(client)}, by ${about.because(client)}`,
  ]);
};

const said = (client: Client): string =>
  client.requests === null ? 'everything' : printRequests(client, 'few');

const limitFields = (
  limit: Limit | null | undefined,
  self: string | null,
): readonly (readonly [string, string])[] => {
  if (limit === undefined || limit === null) return [];
  const { by, total, identity, overrides } = limit;
  const limits = [
    ...(total === null ? [] : [`all clients together to ${total}/s`]),
    ...(identity === null ? [] : [`each identity to ${identity}/s`]),
    ...overrides.map(({ requestsPerSecond, identities }) => {
      const names = identities.map((each) => shortIdentity(each, self));
      return `${names.join(' and ') || 'no client'} to ${requestsPerSecond}/s`;
    }),
  ];
  return [['limits', `${limits.join(', ')}${by === null ? '' : `, by ${shortBehind(by)}`}`]];
};

/** What becomes of requests that nobody above is admitted to. */
const restOf = ({
  protocol,
  access,
  routes,
  clients,
}: ToldServer): readonly (readonly [string, string])[] => {
  const routed = routes.filter(({ by }) => by.object?.kind.endsWith('Route') === true);
  return [
    ...routed.map(({ by, matches }, at): readonly [string, string] => [
      at === 0 ? 'routes' : '',
      `${shortBehind(by)}: ${matches.map(({ text }) => text).join(' | ') || 'no request'}`,
    ]),
    ...denied({ protocol, access, routes, clients }).map((line, at): readonly [string, string] => [
      at === 0 ? 'denies' : '',
      line,
    ]),
  ];
};

const denied = ({ protocol, access, routes, clients }: ToldServer): readonly string[] => {
  if (protocol === 'opaque' || protocol === 'tls')
    return access === 'open'
      ? []
      : [`all ${clients.length === 0 ? '' : 'other '}connections, which are closed`];
  const hasDefault = routes.some(({ by }) => by.object === undefined && by.name === 'default');
  const unrouted = routes.length === 0 || hasDefault ? [] : ['requests that no route matches: 404'];
  if (access === 'open') return unrouted;
  if (clients.length === 0) return [...unrouted, 'all requests: 403'];
  const isGuarded =
    routes.some(({ by }) => by.name === 'unnormalized-path') &&
    // Who is admitted to everything may ask for such paths too.
    clients.every(({ requests }) => requests !== null);
  const guard = isGuarded ? ', and those whose path is not normalized' : '';
  return [...unrouted, `all other requests${guard}: 403`];
};
