import type { HostMatch, HttpMatch, ValueMatch } from '@gatehouse/core/inbound/inbound-server';
import { compareText } from '@gatehouse/core/resources/creation-order';

/** What must hold of a request beside its path and method. */
export interface Conditions {
  /** Undefined = any host. */
  readonly host: HostMatch | undefined;
  readonly values: ValueSet;
}

/** Header and query conditions, each a number, in ascending order; `key` is equal for equal sets. */
export interface ValueSet {
  readonly key: string;
  readonly ids: readonly number[];
}

interface Condition {
  readonly part: 'headers' | 'queryParams';
  readonly value: ValueMatch;
  readonly text: string;
}

/**
 * Gives the header and query conditions of a port's routes numbers, so that what two matches have in common costs as much
 * as they have conditions, however long these are written. A condition that a match repeats counts twice in the
 * proxy's ranks, so its second occurrence has a number of its own.
 */
export class ConditionIds {
  readonly #ids = new Map<string, number>();
  readonly #values: Condition[] = [];
  /** By id: that of the first occurrence of the same condition. */
  readonly #first: number[] = [];

  setOf({ headers, queryParams }: Pick<HttpMatch, 'headers' | 'queryParams'>): ValueSet {
    const ids = [...this.#idsOf('headers', headers), ...this.#idsOf('queryParams', queryParams)];
    return valueSet(ids.sort((a, b) => a - b));
  }

  /** The conditions of a set as a match has them, in an order that depends on nothing but themselves. */
  matchOf({ ids }: ValueSet): Pick<HttpMatch, 'headers' | 'queryParams'> {
    const conditions = ids
      .flatMap((id) => this.#values[id] ?? [])
      .sort((a, b) => compareText(a.text, b.text));
    const of = (wanted: Condition['part']): readonly ValueMatch[] =>
      conditions.flatMap(({ part, value }) => (part === wanted ? [value] : []));
    return { headers: of('headers'), queryParams: of('queryParams') };
  }

  /** Whether whatever meets `inner` meets `outer` too; how often a condition is repeated does not matter for that. */
  implies(inner: ValueSet, outer: ValueSet): boolean {
    let at = 0;
    for (const id of outer.ids) {
      if (this.#first[id] !== id) continue;
      while (at < inner.ids.length && (inner.ids[at] ?? 0) < id) at += 1;
      if (inner.ids[at] !== id) return false;
    }
    return true;
  }

  #idsOf(part: Condition['part'], values: readonly ValueMatch[]): readonly number[] {
    const ids: number[] = [];
    for (const value of values) {
      // The length of the name says where it ends. Quick to write: a port may have tens of thousands of conditions.
      const text = `${part} ${value.kind} ${value.name.length} ${value.name}${value.value}`;
      const first = this.#idOf(text, { part, value, text });
      let id = first;
      for (let time = 2; ids.includes(id); time += 1) {
        id = this.#idOf(`${time} ${text}`, { part, value, text }, first);
      }
      ids.push(id);
    }
    return ids;
  }

  #idOf(key: string, condition: Condition, first?: number): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#values.push(condition) - 1;
    this.#ids.set(key, id);
    this.#first.push(first ?? id);
    return id;
  }
}

const valueSet = (ids: readonly number[]): ValueSet => ({ key: ids.join(), ids });

export const noValues: ValueSet = valueSet([]);

/** What holds where both sets hold. */
const union = (a: ValueSet, b: ValueSet): ValueSet => {
  if (b.ids.length === 0 || a.key === b.key) return a;
  if (a.ids.length === 0) return b;
  const ids: number[] = [];
  let [left, right] = [0, 0];
  while (left < a.ids.length || right < b.ids.length) {
    const [x = Number.POSITIVE_INFINITY, y = Number.POSITIVE_INFINITY] = [a.ids[left], b.ids[right]];
    ids.push(Math.min(x, y));
    if (x <= y) left += 1;
    if (y <= x) right += 1;
  }
  return valueSet(ids);
};

/** The requests that meet both; undefined when there are none. */
export const meet = (a: Conditions, b: Conditions): Conditions | undefined => {
  const host = hostCovers(a.host, b.host) ? b.host : hostCovers(b.host, a.host) ? a.host : 'none';
  return host === 'none' ? undefined : { host, values: union(a.values, b.values) };
};

export const hostCovers = (outer: HostMatch | undefined, inner: HostMatch | undefined): boolean => {
  if (outer === undefined || outer === inner) return true;
  if (inner === undefined) return false;
  if (outer.kind === 'exact')
    return inner.kind === 'exact' && inner.host.toLowerCase() === outer.host.toLowerCase();
  const name = (inner.kind === 'exact' ? inner.host : `.${inner.suffix}`).toLowerCase();
  return name.endsWith(`.${outer.suffix.toLowerCase()}`);
};

/** Equal for conditions that the same requests meet, as far as their writing shows it. */
export const keyOf = ({ host, values }: Conditions): string => `${hostText(host)} ${values.key}`;

const hostText = (host: HostMatch | undefined): string => {
  if (host === undefined) return '';
  return (host.kind === 'exact' ? host.host : `*.${host.suffix}`).toLowerCase();
};
