import { prefixCovers } from '@gatehouse/core/inbound/match-request';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';

/** One conjunction of what a rule can ask of a request: path, method and header values that must all hold. */
export interface Conjunction {
  /** Undefined = any path; the prefix `/` is written so. A prefix has no trailing slash. */
  readonly path: { readonly kind: 'exact' | 'prefix'; readonly value: string } | undefined;
  readonly method: string | undefined;
  readonly headers: HeaderSet;
  /** Equal for equal conjunctions. */
  readonly key: string;
}

/** Header values that must all be there. Two values of one name may both be sent. */
interface HeaderSet {
  /** Sorted, without repetition, names in lower case. */
  readonly all: readonly Header[];
  readonly byText: ReadonlyMap<string, Header>;
  readonly key: string;
}

interface Header {
  readonly name: string;
  readonly value: string;
}

export const conjunction = (
  path: Conjunction['path'],
  method: string | undefined,
  headers: HeaderSet['all'],
): Conjunction => joined(canonicalPath(path), method, headerSet(lowerCase(headers)));

const canonicalPath = (path: Conjunction['path']): Conjunction['path'] => {
  if (path?.kind !== 'prefix') return path;
  const value = path.value.replace(/(?<!\/)\/+$/, '');
  return value === '' ? undefined : { kind: 'prefix', value };
};

const noHeaders: HeaderSet = { all: [], byText: new Map(), key: '' };

const headerSet = (headers: HeaderSet['all']): HeaderSet => {
  if (headers.length === 0) return noHeaders;
  return sortedSet(headers.map((header) => [JSON.stringify([header.name, header.value]), header]));
};

const sortedSet = (headers: readonly (readonly [string, Header])[]): HeaderSet => {
  const byText = new Map(headers.toSorted(([a], [b]) => compareText(a, b)));
  return { all: [...byText.values()], byText, key: [...byText.keys()].join() };
};

const lowerCase = (headers: HeaderSet['all']): HeaderSet['all'] =>
  headers.map(({ name, value }) => ({ name: name.toLowerCase(), value }));

const joined = (path: Conjunction['path'], method: string | undefined, headers: HeaderSet): Conjunction => {
  const { kind = '', value = '' } = path ?? {};
  // With its length before it, no path can be read as a shorter one with headers behind it.
  return { path, method, headers, key: `${kind} ${method ?? ''} ${value.length} ${value}${headers.key}` };
};

/** A rule's lists are alternatives: one conjunction for each method and path. */
export function* conjunctionsOf({ methods, paths, headers = [] }: PolicyRule): Generator<Conjunction> {
  const all = headerSet(lowerCase(headers));
  for (const path of paths ?? [undefined]) {
    const canonical = canonicalPath(path);
    for (const method of methods ?? [undefined]) yield joined(canonical, method, all);
  }
}

/** Whether every request that `inner` matches is matched by `outer` too. */
export const covers = (outer: Conjunction, inner: Conjunction): boolean =>
  (outer.method === undefined || outer.method === inner.method) &&
  pathCovers(outer.path, inner.path) &&
  (outer.headers.key === inner.headers.key ||
    (outer.headers.byText.size < inner.headers.byText.size &&
      outer.headers.byText.keys().every((wanted) => inner.headers.byText.has(wanted))));

const pathCovers = (outer: Conjunction['path'], inner: Conjunction['path']): boolean => {
  if (outer === undefined || outer === inner) return true;
  if (inner === undefined) return false;
  return outer.kind === 'prefix'
    ? prefixCovers(outer.value, inner.value)
    : inner.kind === 'exact' && inner.value === outer.value;
};

/** The conjunction that matches what both match; undefined when no request can. */
export const both = (a: Conjunction, b: Conjunction): Conjunction | undefined => {
  if (a.method !== undefined && b.method !== undefined && a.method !== b.method) return undefined;
  const path = pathCovers(a.path, b.path) ? b.path : pathCovers(b.path, a.path) ? a.path : 'none';
  if (path === 'none') return undefined;
  return joined(path, a.method ?? b.method, bothSets(a.headers, b.headers));
};

const bothSets = (a: HeaderSet, b: HeaderSet): HeaderSet => {
  if (b.all.length === 0 || a.key === b.key) return a;
  return a.all.length === 0 ? b : sortedSet([...a.byText, ...b.byText]);
};

/** More alternatives than this are not even looked at; a policy that writes them is over every limit. */
const mostAlternatives = 16_384;

/**
 * The conjunctions that no other one covers, coarse before fine; undefined when there are more than `limit`. The
 * alternatives of one policy grant the same, and methods times paths would fill the port's limit with what says nothing.
 */
export const withoutCovered = (
  all: Iterable<Conjunction>,
  limit: number,
): readonly Conjunction[] | undefined => {
  const distinct = new Map<string, { readonly one: Conjunction; readonly weight: number }>();
  for (const one of all) {
    distinct.set(one.key, { one, weight: weightOf(one) });
    if (distinct.size > mostAlternatives) return undefined;
  }
  const kept: Conjunction[] = [];
  const coarseFirst = [...distinct.values()].sort(
    (a, b) => a.weight - b.weight || compareText(a.one.key, b.one.key),
  );
  for (const { one } of coarseFirst) {
    if (kept.some((outer) => covers(outer, one))) continue;
    if (kept.push(one) > limit) return undefined;
  }
  return kept;
};

/** Less for what covers than for what it covers. */
const weightOf = ({ path, method, headers }: Conjunction): number =>
  (path === undefined ? 0 : 2 * path.value.length + (path.kind === 'exact' ? 1 : 0)) +
  (method === undefined ? 0 : 1) +
  headers.all.length;

/** The order that settles the proxy's ties: more owners first, then Exact before Prefix; the rest only to be stable and read well. */
export const finerFirst = (
  a: { readonly match: Conjunction; readonly owners: number },
  b: { readonly match: Conjunction; readonly owners: number },
): number =>
  b.owners - a.owners ||
  pathOrder(a.match) - pathOrder(b.match) ||
  b.match.headers.all.length - a.match.headers.all.length ||
  compareText(a.match.key, b.match.key);

const pathOrder = ({ path }: Conjunction): number =>
  path === undefined ? 2 : path.kind === 'prefix' ? 1 : 0;
