import type { AlikeWorkloads } from '../reach/named-workload.ts';
import type { ObjectName, WorkloadName } from '../reach/policy-answers.ts';
import { shortIdentityOf, shortObject } from './policy-words.ts';
import { wrap } from './wrap.ts';

/** So many workloads are named in a line. */
const mostNamed = 3;

/** A workload as these commands take it: `backend-0`, `externalworkload/vm-1`. */
export const printName = ({ kind, name }: Pick<WorkloadName, 'kind' | 'name'>): string =>
  kind === 'Pod' ? name : shortObject({ kind, name });

/** The first of them, as these commands take it: `demo/backend-0`. */
export const pathOf = ({ kind, namespace, names: [name] }: AlikeWorkloads): string =>
  `${namespace}/${printName({ kind, name })}`;

/** `demo/deploy/backend: backend-0, backend-1, backend-2`, or the one workload. */
export const printAlike = (
  alike: AlikeWorkloads,
  { identity }: { readonly identity: string | null },
): string => {
  const who = identity === null ? '' : `  ${shortIdentityOf(identity)}`;
  const { namespace, names, owner } = alike;
  if (owner === undefined) return `${pathOf(alike)}${who}`;
  const [kind = '', name = ''] = owner.split('/');
  const named = names.slice(0, mostNamed).join(', ');
  const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : '';
  return `${namespace}/${shortObject({ kind, name })}: ${named}${more}${who}`;
};

/** What selects a workload and cannot reach it, as a sentence; none where nothing does. */
export const withoutEffect = (selectedBy: readonly ObjectName[]): readonly string[] =>
  selectedBy.length === 0
    ? []
    : [`Without effect here, though the labels fit: ${selectedBy.map(shortObject).join(', ')}.`];

/** Sentences below a table, a paragraph each. */
export const printNotes = (notes: readonly string[], columns: number): string =>
  notes.map((note) => wrap(note, columns, '  ')).join('\n');
