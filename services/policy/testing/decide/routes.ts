import type { GrpcMatch, HttpFilter, HttpMatch, ValueMatch } from '@gatehouse/core/inbound/inbound-server';
import type { HttpRequest, RegexMatcher } from '@gatehouse/core/inbound/match-request';
import { isRejected, type KubeObject, type RejectedRoute } from '@gatehouse/core/resources/kinds';
import type { ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { callOf, hasHeader, isUnder, pathOf } from './requests.ts';
import type { Route, Situation } from './situation.ts';

/** The routes attached to the Server, in the order in which ties are settled. */
export const attachedRoutes = ({ routes }: Situation, server: KubeObject<'Server'>): readonly Route[] =>
  routes
    .filter(({ meta, spec }) => {
      const servers = isRejected(spec) ? spec.attachedTo : spec.servers;
      return (
        meta.namespace === server.meta.namespace && (servers === 'all' || servers.includes(server.meta.name))
      );
    })
    .sort((a, b) => {
      if (a.meta.createdAt !== b.meta.createdAt) return a.meta.createdAt - b.meta.createdAt;
      if (a.meta.name !== b.meta.name) return a.meta.name < b.meta.name ? -1 : 1;
      return rankOfKind(a) - rankOfKind(b);
    });

/** Of one name: by group, then by kind. */
const rankOfKind = ({ kind }: Route): number => ['GRPCRoute', 'GatewayHTTPRoute', 'HTTPRoute'].indexOf(kind);

/** Those that mean anything where a port speaks so: GRPCRoutes on gRPC Servers, HTTPRoutes on all others that know requests. */
export const spokenRoutes = (
  attached: readonly Route[],
  protocol: ServerSpec['proxyProtocol'],
): readonly Route[] => {
  if (protocol === 'opaque' || protocol === 'TLS') return [];
  return attached.filter(({ kind }) => (kind === 'GRPCRoute') === (protocol === 'gRPC'));
};

/** Whether nobody can say that the route is this Server's, while others are: it then is the way to nothing. */
export const isDisputed = ({ spec }: Route, routes: readonly Route[]): boolean =>
  isRejected(spec) && spec.attachedTo === 'all' && routes.length > 1;

interface ChosenRule {
  readonly route: Route;
  readonly filters: readonly HttpFilter[];
  readonly specificity: readonly number[];
}

/** The one rule of the attached routes that a proxy would use, as `contract/proxy.md` §6.3 orders them. */
export const routeRuleFor = (
  { matchesRegex }: Situation,
  routes: readonly Route[],
  request: HttpRequest,
): ChosenRule | undefined => {
  let chosen: ChosenRule | undefined;
  for (const route of routes) {
    if (isDisputed(route, routes)) continue;
    for (const { hosts, ofMatch, filters } of alternativesOf(route, request, matchesRegex)) {
      for (const host of hosts.length === 0 ? [undefined] : hosts) {
        const ofHost = host === undefined ? [0, 0] : hostSpecificity(host, request.host);
        if (ofHost === undefined) continue;
        const specificity = [...ofHost, ...ofMatch];
        if (chosen === undefined || isMore(specificity, chosen.specificity))
          chosen = { route, filters, specificity };
      }
    }
  }
  return chosen;
};

/** One kind of request that is a route's own, and how specific it is. */
interface Alternative {
  readonly hosts: readonly string[];
  readonly ofMatch: readonly number[];
  readonly filters: readonly HttpFilter[];
}

/** Those that the request is of, as far as they are known, in the order written. */
const alternativesOf = (
  route: Route,
  request: HttpRequest,
  matchesRegex: RegexMatcher,
): readonly Alternative[] =>
  route.kind === 'GRPCRoute'
    ? alternatives(route.spec, (match) =>
        match === undefined ? [0, 0, 0] : callSpecificity(match, request, matchesRegex),
      )
    : alternatives(route.spec, (match) =>
        matchSpecificity(match ?? { headers: [], queryParams: [] }, request, matchesRegex),
      );

interface Whole<Match> {
  readonly hosts: readonly string[];
  readonly rules: readonly { readonly matches: readonly Match[]; readonly filters: readonly HttpFilter[] }[];
}

const alternatives = <Match>(
  spec: Whole<Match> | RejectedRoute<Match>,
  /** Undefined = it is not of that kind; the match of a rule without any is undefined. */
  specificityOf: (match: Match | undefined) => readonly number[] | undefined,
): readonly Alternative[] => {
  const written = isRejected(spec)
    ? spec.keeps.flatMap(({ hosts, matches }) => matches.map((match) => ({ hosts, match, filters: [] })))
    : spec.rules.flatMap(({ matches, filters }) =>
        (matches.length === 0 ? [undefined] : matches).map((match) => ({
          hosts: spec.hosts,
          match,
          filters,
        })),
      );
  return written.flatMap(({ hosts, match, filters }) => {
    const ofMatch = specificityOf(match);
    return ofMatch === undefined ? [] : [{ hosts, ofMatch, filters }];
  });
};

const isMore = (a: readonly number[], b: readonly number[]): boolean => {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index >= 0 && (a[index] ?? 0) > (b[index] ?? 0);
};

const hostSpecificity = (pattern: string, authority: string | undefined): readonly number[] | undefined => {
  const host = authority?.replace(/:\d+$/, '').toLowerCase();
  if (host === undefined) return undefined;
  if (pattern.startsWith('*.')) return host.endsWith(pattern.slice(1)) ? [1, pattern.length - 1] : undefined;
  return host === pattern ? [2, pattern.length] : undefined;
};

const comparing =
  (matchesRegex: RegexMatcher) =>
  (wanted: ValueMatch) =>
  (value: string): boolean =>
    wanted.kind === 'exact' ? value === wanted.value : matchesRegex(wanted.value, value);

const callSpecificity = (
  { service, method, headers }: GrpcMatch,
  request: HttpRequest,
  matchesRegex: RegexMatcher,
): readonly number[] | undefined => {
  const call = callOf(request);
  if (call === undefined) return undefined;
  if (service !== '' && service !== call.service) return undefined;
  if (method !== '' && method !== call.method) return undefined;
  const isIt = comparing(matchesRegex);
  if (!headers.every((wanted) => hasHeader(request, wanted.name, isIt(wanted)))) return undefined;
  return [service.length, method.length, headers.length];
};

const matchSpecificity = (
  { path, method, headers, queryParams }: HttpMatch,
  request: HttpRequest,
  matchesRegex: RegexMatcher,
): readonly number[] | undefined => {
  const given = pathOf(request);
  const query = new URL(request.target, 'http://host').searchParams;
  if (method !== undefined && method !== request.method) return undefined;
  if (path?.kind === 'exact' && path.value !== given) return undefined;
  if (path?.kind === 'prefix' && !isUnder(path.value, given)) return undefined;
  if (path?.kind === 'regex' && !matchesRegex(path.value, given)) return undefined;
  const isIt = comparing(matchesRegex);
  if (!headers.every((wanted) => hasHeader(request, wanted.name, isIt(wanted)))) return undefined;
  if (!queryParams.every((wanted) => query.getAll(wanted.name).some(isIt(wanted)))) return undefined;
  const pathLength =
    path === undefined || path.value === '/'
      ? 1
      : path.kind === 'prefix'
        ? path.value.replace(/\/+$/, '').length
        : given.length;
  return [pathLength, headers.length, queryParams.length, method === undefined ? 0 : 1];
};
