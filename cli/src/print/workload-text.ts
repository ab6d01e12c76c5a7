import type { AlikePods } from '../reach/named-workload.ts';
import type { ObjectName } from '../reach/policy-answers.ts';
import { shortIdentityOf, shortObject } from './policy-words.ts';
import { wrap } from './wrap.ts';

/** So many pods are named in a line. */
const mostNamed = 3;

/** `demo/deploy/backend: 3 pods (backend-0, backend-1, backend-2)`, or the pod. */
export const printAlike = (
  { namespace, pods, owner }: AlikePods,
  { identity }: { readonly identity: string | null },
): string => {
  const who = identity === null ? '' : `  ${shortIdentityOf(identity)}`;
  if (owner === undefined) return `${namespace}/${pods[0]}${who}`;
  const [kind = '', name = ''] = owner.split('/');
  const named = pods.slice(0, mostNamed).join(', ');
  const more = pods.length > mostNamed ? `, and ${pods.length - mostNamed} more` : '';
  return `${namespace}/${shortObject({ kind, name })}: ${named}${more}${who}`;
};

/** What selects a pod and cannot reach it, as a sentence; none where nothing does. */
export const withoutEffect = (selectedBy: readonly ObjectName[]): readonly string[] =>
  selectedBy.length === 0
    ? []
    : [`Without effect here, though the labels fit: ${selectedBy.map(shortObject).join(', ')}.`];

/** Sentences below a table, a paragraph each. */
export const printNotes = (notes: readonly string[], columns: number): string =>
  notes.map((note) => wrap(note, columns, '  ')).join('\n');
