import { prefixCovers } from '@gatehouse/core/inbound/match-request';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';

/** One conjunction of what a rule can ask of a request: path, method and header values that must all hold. */
export interface Conjunction {
  /** Undefined = any path; the prefix `/` is written so. A prefix has no trailing slash. */
  readonly path: { readonly kind: 'exact' | 'prefix'; readonly value: string } | undefined;
  readonly method: string | undefined;
  /** Sorted, without repetition, names in lower case. Two values of one name may both be sent. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

const canonicalPath = (path: Conjunction['path']): Conjunction['path'] => {
  if (path?.kind !== 'prefix') return path;
  const value = path.value.replace(/\/+$/, '');
  return value === '' ? undefined : { kind: 'prefix', value };
};

const sortedHeaders = (headers: Conjunction['headers']): Conjunction['headers'] => {
  const byText = new Map(headers.map(({ name, value }) => [`${name}:${value}`, { name, value }]));
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, header]) => header);
};

export const conjunction = (
  path: Conjunction['path'],
  method: string | undefined,
  headers: Conjunction['headers'],
): Conjunction => ({
  path: canonicalPath(path),
  method,
  headers: sortedHeaders(headers.map(({ name, value }) => ({ name: name.toLowerCase(), value }))),
});

/** A rule's lists are alternatives: one conjunction for each method and path. */
export function* conjunctionsOf({ methods, paths, headers = [] }: PolicyRule): Generator<Conjunction> {
  for (const path of paths ?? [undefined]) {
    for (const method of methods ?? [undefined]) yield conjunction(path, method, headers);
  }
}

const textOf = ({ path, method, headers }: Conjunction): string =>
  JSON.stringify([path?.kind, path?.value, method, headers.map(({ name, value }) => [name, value])]);

/** Whether every request that `inner` matches is matched by `outer` too. */
export const covers = (outer: Conjunction, inner: Conjunction): boolean =>
  pathCovers(outer.path, inner.path) &&
  (outer.method === undefined || outer.method === inner.method) &&
  outer.headers.every((wanted) =>
    inner.headers.some(({ name, value }) => name === wanted.name && value === wanted.value),
  );

const pathCovers = (outer: Conjunction['path'], inner: Conjunction['path']): boolean => {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return outer.kind === 'prefix'
    ? prefixCovers(outer.value, inner.value)
    : inner.kind === 'exact' && inner.value === outer.value;
};

/** The conjunction that matches what both match; undefined when no request can. */
const both = (a: Conjunction, b: Conjunction): Conjunction | undefined => {
  const path = pathCovers(a.path, b.path) ? b.path : pathCovers(b.path, a.path) ? a.path : 'none';
  if (path === 'none') return undefined;
  if (a.method !== undefined && b.method !== undefined && a.method !== b.method) return undefined;
  return { path, method: a.method ?? b.method, headers: sortedHeaders([...a.headers, ...b.headers]) };
};

/**
 * The conjunctions of several owners, and whatever conjunctions of different owners have in common, to a fixpoint
 * (design §6.4). What the alternatives of one owner have in common is left out: it would grant nothing new.
 *
 * Why a proxy then finds, for any request, a member that all owners who match it stand behind: suppose that it picks
 * one, behind which some matching owner does not stand. What this member has in common with that owner's conjunction is a
 * member too, and at least as specific, and more owners stand behind it, so that it comes first in the list: the proxy would have picked it.
 */
export class MatchClosure {
  readonly #members: ReadonlyMap<string, Conjunction>;

  constructor(members: ReadonlyMap<string, Conjunction> = new Map()) {
    this.#members = members;
  }

  get members(): readonly Conjunction[] {
    return [...this.#members.values()];
  }

  /** This closure with one more owner's conjunctions; undefined when it would have more than `limit` members. */
  with(owned: readonly Conjunction[], limit: number): MatchClosure | undefined {
    const members = new Map(this.#members);
    for (const one of owned) {
      members.set(textOf(one), one);
      for (const other of this.#members.values()) {
        const common = both(one, other);
        if (common !== undefined) members.set(textOf(common), common);
      }
      if (members.size > limit) return undefined;
    }
    return new MatchClosure(members);
  }
}

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
  const found: Conjunction[] = [];
  for (const one of all) if (found.push(one) > mostAlternatives) return undefined;
  const kept: Conjunction[] = [];
  for (const one of found.sort((a, b) => weightOf(a) - weightOf(b) || compareText(textOf(a), textOf(b)))) {
    if (kept.some((outer) => covers(outer, one))) continue;
    if (kept.push(one) > limit) return undefined;
  }
  return kept;
};

/** Less for what covers than for what it covers. */
const weightOf = ({ path, method, headers }: Conjunction): number =>
  (path === undefined ? 0 : 2 * path.value.length + (path.kind === 'exact' ? 1 : 0)) +
  (method === undefined ? 0 : 1) +
  headers.length;

/** The order that settles the proxy's ties: more owners first, then Exact before Prefix; the rest only to be stable. */
export const finerFirst = (
  a: { readonly match: Conjunction; readonly owners: number },
  b: { readonly match: Conjunction; readonly owners: number },
): number =>
  b.owners - a.owners ||
  pathOrder(a.match) - pathOrder(b.match) ||
  compareText(textOf(a.match), textOf(b.match));

const pathOrder = ({ path }: Conjunction): number =>
  path === undefined ? 2 : path.kind === 'prefix' ? 1 : 0;
