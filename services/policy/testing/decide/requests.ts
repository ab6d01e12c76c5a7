import type { HttpFilter, HttpMatch } from '@gatehouse/core/inbound/inbound-server';
import type { HttpRequest, RegexMatcher } from '@gatehouse/core/inbound/match-request';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import type { Route, Situation } from './situation.ts';

export const pathOf = ({ target }: HttpRequest): string => target.replace(/[?#].*$/s, '');

/** Whether the path lies under the prefix, segment by segment; slashes at the end count on neither side. */
const isUnder = (prefix: string, path: string): boolean => {
  const segments = (text: string): string[] => text.replace(/\/+$/, '').split('/');
  const given = segments(path);
  return prefix === '/' || segments(prefix).every((segment, index) => given[index] === segment);
};

const hasHeader = ({ headers }: HttpRequest, name: string, holds: (value: string) => boolean): boolean =>
  headers.some((header) => header.name.toLowerCase() === name.toLowerCase() && holds(header.value));

/** Whether a rule of a NetworkAuthenticationPolicy speaks of the request (design §6.4). */
export const ruleAllows = ({ methods, paths, headers }: PolicyRule, request: HttpRequest): boolean => {
  const path = pathOf(request);
  return (
    (methods === undefined || methods.includes(request.method)) &&
    (paths === undefined ||
      paths.some(({ kind, value }) => (kind === 'exact' ? path === value : isUnder(value, path)))) &&
    (headers ?? []).every(({ name, value }) => hasHeader(request, name, (given) => given === value))
  );
};

/** A call is POST to /service/method; rules name a service by prefix, a method exactly. */
export const ruleAllowsCall = ({ methods, paths, headers }: PolicyRule, request: HttpRequest): boolean => {
  const [root, service, method] = pathOf(request).split('/');
  if (request.method !== 'POST' || root !== '' || service === undefined || method === undefined) return false;
  return (
    (methods === undefined || methods.includes('POST')) &&
    (paths === undefined ||
      paths.some(({ kind, value }) => {
        if (kind === 'prefix' && (value === '/' || value.replace(/\/+$/, '') === `/${service}`)) return true;
        const exactly = kind === 'prefix' ? value.replace(/\/+$/, '') : value;
        // A rule names a method by its name; the call with the empty one it cannot name.
        return method !== '' && exactly === `/${service}/${method}`;
      })) &&
    (headers ?? []).every(({ name, value }) => hasHeader(request, name, (given) => given === value))
  );
};

/** What escapes stand for, byte by byte; undefined where a `%` is none. */
const escapedBytes = (path: string): readonly number[] | undefined => {
  const found = path.split('%').slice(1);
  if (found.some((text) => !/^[\da-f]{2}/i.test(text))) return undefined;
  return found.map((text) => Number.parseInt(text.slice(0, 2), 16));
};

/** A first byte that UTF-8 never has, or a second one that makes the form longer than it need be. */
const isOverlong = (path: string): boolean =>
  path
    .toLowerCase()
    .split('%')
    .slice(1)
    .some((text, at, all) => {
      const [byte, next] = [text, all[at + 1] ?? ''].map((hex) => Number.parseInt(hex.slice(0, 2), 16));
      if (byte === undefined) return false;
      if (byte === 0xc0 || byte === 0xc1 || byte > 0xf4) return true;
      const isFollowed = text.length === 2 && next !== undefined;
      return (
        isFollowed &&
        ((byte === 0xe0 && next >= 0x80 && next < 0xa0) || (byte === 0xf0 && next >= 0x80 && next < 0x90))
      );
    });

/** Of other scripts: what stands for a dot, a slash or a percent sign once it is normalised (docs/policy.md). */
const hasOtherMarks = (path: string): boolean => {
  const text = path.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const read = Buffer.from(text, 'latin1').toString('utf8');
  return /[/／＼﹨∕∖⁄][．﹒︰․‥]|[／＼﹨∕∖⁄]\.|[％﹪][\da-f\uff00-\uff7f]/i.test(read);
};

/** Applications may read another path: what docs/policy.md lists under "Paths as applications read them". */
export const isUnnormalized = (path: string): boolean => {
  const escaped = escapedBytes(path);
  return (
    escaped === undefined ||
    escaped.some((byte) => byte < 0x20 || byte === 0x7f || './\\;%'.includes(String.fromCharCode(byte))) ||
    /[^!-~]/.test(path) ||
    ['//', '\\', ';'].some((text) => path.includes(text)) ||
    path.split('/').some((segment) => /^\.{1,2}(?:$|%)/.test(segment)) ||
    isOverlong(path) ||
    hasOtherMarks(path)
  );
};

/** The requests of kubelet's probes, and of the proxy's own on its admin port (design §6.2). */
export const probesOf = ({
  target,
  port,
}: Situation): readonly { readonly method: string; readonly path: string }[] => [
  ...target.spec.probes
    .filter((probe) => probe.port === port)
    .map((probe) =>
      probe.kind === 'http'
        ? { method: 'GET', path: probe.path }
        : { method: 'POST', path: '/grpc.health.v1.Health/Check' },
    ),
  ...(port === target.spec.proxyPorts.admin
    ? ['/live', '/ready'].map((path) => ({ method: 'GET', path }))
    : []),
];

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
      return a.kind === b.kind ? 0 : a.kind === 'GatewayHTTPRoute' ? -1 : 1;
    });

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
    for (const { hosts, match, filters } of alternativesOf(route)) {
      const ofMatch = matchSpecificity(match, request, matchesRegex);
      if (ofMatch === undefined) continue;
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

interface Alternative {
  readonly hosts: readonly string[];
  readonly match: HttpMatch;
  readonly filters: readonly HttpFilter[];
}

/** Every kind of request that is the route's own, as far as it is known, in the order written. */
const alternativesOf = ({ spec }: Route): readonly Alternative[] =>
  isRejected(spec)
    ? spec.keeps.flatMap(({ hosts, matches }) => matches.map((match) => ({ hosts, match, filters: [] })))
    : spec.rules.flatMap(({ matches, filters }) =>
        (matches.length === 0 ? [anyRequest] : matches).map((match) => ({
          hosts: spec.hosts,
          match,
          filters,
        })),
      );

const anyRequest: HttpMatch = { headers: [], queryParams: [] };

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
  const isIt =
    (wanted: HttpMatch['headers'][number]) =>
    (value: string): boolean =>
      wanted.kind === 'exact' ? value === wanted.value : matchesRegex(wanted.value, value);
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
