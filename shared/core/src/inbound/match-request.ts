import type { GrpcMatch, HostMatch, HttpMatch, PathMatch, ValueMatch } from './inbound-server.ts';

/**
 * How a proxy matches a request against hosts, HTTP matches and gRPC matches, and what rank each match gives
 * (`contract/proxy.md` §6.3). Ranks compare from the left; undefined = no match.
 */
export type Rank = readonly number[];

/** Whether the proxy's engine finds a match that spans the whole text; see `matchesWhole` in proxy-regex.ts. */
export type RegexMatcher = (pattern: string, text: string) => boolean;

/** One HTTP request as it arrived; gRPC calls are requests too. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, raw: `/api/x?color=blue`. */
  readonly target: string;
  /** The authority, port included; undefined when the request names none. */
  readonly host: string | undefined;
  /** In order, a name as often as it was sent. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** The part of the target before query and fragment, which the proxy does not normalise. */
export const pathOf = ({ target }: HttpRequest): string => target.split(/[?#]/, 1)[0] ?? '';

const queryOf = ({ target }: HttpRequest): string | undefined => {
  // The proxy's URI type drops a fragment before it looks for the query.
  const whole = target.split('#', 1)[0] ?? '';
  const mark = whole.indexOf('?');
  return mark < 0 ? undefined : whole.slice(mark + 1);
};

const utf8 = new TextEncoder();
/** Bytes, as the proxy counts lengths. */
const lengthOf = (text: string): number => utf8.encode(text).length;

const withoutTrailing = (text: string, char: string): string => {
  let end = text.length;
  while (end > 0 && text[end - 1] === char) end -= 1;
  return text.slice(0, end);
};

/** Ranks a host pattern: a suffix below an exact name, the longer above the shorter; ports are ignored. */
const hostRank = (pattern: HostMatch, host: string): Rank | undefined => {
  const wanted = (pattern.kind === 'exact' ? pattern.host : pattern.suffix).toLowerCase();
  const bare = wanted.endsWith('.') || !host.endsWith('.') ? host : host.slice(0, -1);
  switch (pattern.kind) {
    case 'exact':
      return bare === wanted ? [2, lengthOf(wanted)] : undefined;
    case 'suffix':
      return bare.endsWith(`.${wanted}`) ? [1, lengthOf(wanted) + 1] : undefined;
  }
};

const withoutPort = (authority: string): string =>
  authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .toLowerCase();

/** The best of a route's hosts; no hosts match every request with the lowest rank. */
export const rankHosts = (hosts: readonly HostMatch[], request: HttpRequest): Rank | undefined => {
  if (hosts.length === 0) return [0, 0];
  if (request.host === undefined) return undefined;
  const host = withoutPort(request.host);
  return best(hosts.map((pattern) => hostRank(pattern, host)));
};

/** Whether the prefix covers the path in whole segments: `/api` covers `/api` and `/api/x`, not `/apix`. */
export const prefixCovers = (prefix: string, path: string): boolean => {
  if (prefix === '/') return true;
  const [start, rest] = [withoutTrailing(prefix, '/'), withoutTrailing(path, '/')];
  return rest.startsWith(start) && (rest.length === start.length || rest[start.length] === '/');
};

const pathRank = (match: PathMatch, path: string, matchesRegex: RegexMatcher): number | undefined => {
  switch (match.kind) {
    case 'exact':
      return match.value === path ? lengthOf(path) : undefined;
    case 'prefix':
      if (!prefixCovers(match.value, path)) return undefined;
      return match.value === '/' ? 1 : lengthOf(withoutTrailing(match.value, '/'));
    case 'regex':
      // A regular expression counts the path's whole length however short it is itself.
      return matchesRegex(match.value, path) ? lengthOf(path) : undefined;
  }
};

const valueMatches = (match: ValueMatch, value: string, matchesRegex: RegexMatcher): boolean =>
  match.kind === 'exact' ? match.value === value : matchesRegex(match.value, value);

/** What the proxy can show its regular expressions of a header: visible ASCII, spaces and tabs; else no match. */
const visible = /^[\t\x20-\x7e]*$/;

const headerMatches = (match: ValueMatch, request: HttpRequest, matchesRegex: RegexMatcher): boolean =>
  request.headers.some(
    ({ name, value }) =>
      name.toLowerCase() === match.name.toLowerCase() &&
      (match.kind === 'exact' || visible.test(value)) &&
      valueMatches(match, value, matchesRegex),
  );

/** Ranks by path length whatever the path's type, then number of headers, of query parameters, then method. */
export const rankHttp = (
  match: HttpMatch,
  request: HttpRequest,
  matchesRegex: RegexMatcher,
): Rank | undefined => {
  if (match.method !== undefined && match.method !== request.method) return undefined;
  // A match without a path is as specific as the prefix `/`.
  const path = match.path === undefined ? 1 : pathRank(match.path, pathOf(request), matchesRegex);
  if (path === undefined) return undefined;
  if (!match.headers.every((header) => headerMatches(header, request, matchesRegex))) return undefined;
  if (match.queryParams.length > 0) {
    const query = queryOf(request);
    const params = query === undefined ? [] : [...new URLSearchParams(query)];
    const holds = (wanted: ValueMatch): boolean =>
      params.some(([name, value]) => name === wanted.name && valueMatches(wanted, value, matchesRegex));
    if (!match.queryParams.every(holds)) return undefined;
  }
  return [path, match.headers.length, match.queryParams.length, match.method === undefined ? 0 : 1];
};

/** What a match-less HTTP rule counts as: the prefix `/`. */
export const anyHttpRank: Rank = [1, 0, 0, 0];

/** Ranks by length of the service, of the method, then number of headers; only POST to `/service/method` is a call. */
export const rankGrpc = (
  match: GrpcMatch,
  request: HttpRequest,
  matchesRegex: RegexMatcher,
): Rank | undefined => {
  if (request.method !== 'POST') return undefined;
  // What follows the second segment is ignored, as the proxy does.
  const [before, service, method] = pathOf(request).split('/');
  if (before !== '' || service === undefined || method === undefined) return undefined;
  if (match.service !== '' && match.service !== service) return undefined;
  if (match.method !== '' && match.method !== method) return undefined;
  if (!match.headers.every((header) => headerMatches(header, request, matchesRegex))) return undefined;
  return [lengthOf(match.service), lengthOf(match.method), match.headers.length];
};

/** What a match-less gRPC rule counts as. It admits any request, also what is not a gRPC call. */
export const anyGrpcRank: Rank = [0, 0, 0];

/** Positive when `a` is more specific than `b`. */
export const compareRanks = (a: Rank, b: Rank): number => {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** The highest rank; undefined when nothing matched. */
export const best = (ranks: readonly (Rank | undefined)[]): Rank | undefined =>
  ranks.reduce(
    (top, rank) => (rank !== undefined && (top === undefined || compareRanks(rank, top) > 0) ? rank : top),
    undefined,
  );
