import type { Kind, KubeObject } from '../resources/kinds.ts';
import type { Touched } from '../resources/resource-index.ts';

/**
 * What a service watches, one row a kind: the names of the facts that an object of the kind takes part in. The list of
 * kinds to watch and to wait for is the list of its rows, so a kind cannot be watched without saying what it concerns.
 */
export type KindFacts<Watched extends Kind> = {
  readonly [K in Watched]: (object: KubeObject<K>) => Iterable<string>;
};

export const kindsOf = <Watched extends Kind>(table: KindFacts<Watched>): readonly Watched[] =>
  Object.keys(table) as Watched[];

/** The facts that a batch changed: those of each touched object as it was and as it is. Kinds without a row touch none. */
export const touchedFacts = <Watched extends Kind>(
  table: KindFacts<Watched>,
  touched: readonly Touched[],
): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { before, after } of touched) {
    for (const object of [before, after]) {
      if (object === undefined || !(object.kind in table)) continue;
      const factsOf = table[object.kind as Watched] as (object: KubeObject) => Iterable<string>;
      for (const name of factsOf(object)) names.add(name);
    }
  }
  return names;
};
