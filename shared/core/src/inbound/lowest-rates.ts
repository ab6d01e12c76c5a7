import type { RequestRates } from '../resources/kinds/linkerd.ts';

/**
 * What stands for several limits where nobody can say which of them is meant: the lowest number that any of them states, for
 * all clients together, so that no client, nor any number of them, may send more than the one that is meant allows.
 */
export const lowestRates = (all: readonly RequestRates[]): RequestRates => {
  const stated = all.flatMap(({ total, identity, overrides }) => [
    ...(total === undefined ? [] : [total]),
    ...(identity === undefined ? [] : [identity]),
    ...overrides.map(({ requestsPerSecond }) => requestsPerSecond),
  ]);
  const total = stated.length === 0 ? undefined : stated.reduce((a, b) => Math.min(a, b));
  return { total, identity: undefined, overrides: [] };
};
