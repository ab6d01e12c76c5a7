import type { Problem } from '@gatehouse/core/problem';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { rowOf } from '../kind-table.ts';

interface UnactedKind {
  readonly kind: Kind;
  /** `part`: one service acts upon it already. */
  readonly acted?: 'part';
  /** What is other than if it were honoured, for anyone who relies on it. */
  readonly without: string;
}

/**
 * Kinds that are read, and that no service watches yet. Silence about one that closes something would be a lie: a
 * service that begins to watch one takes it from here.
 */
export const unactedKinds: readonly UnactedKind[] = [
  { kind: 'EgressNetwork', without: 'no egress is denied' },
  { kind: 'TLSRoute', without: 'no connection is routed or refused by it' },
  { kind: 'TCPRoute', without: 'no connection is routed or refused by it' },
];

export const isActedUpon = (kind: Kind): boolean => !unactedKinds.some((each) => each.kind === kind);

export const unactedKind = (kind: Kind): Problem | undefined => {
  const row = unactedKinds.find((each) => each.kind === kind);
  return row === undefined
    ? undefined
    : {
        field: 'kind',
        found: `${rowOf(kind).wireKind} is read but not acted upon${row.acted === 'part' ? ' in full' : ''} yet`,
        fix: `until it is, ${row.without}`,
      };
};
