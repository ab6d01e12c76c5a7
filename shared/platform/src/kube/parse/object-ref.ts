import { intern } from '../intern.ts';
import { describe, type Fields } from './fields.ts';

/** A reference to another object; group and kind are lower case, since Linkerd compares them without case. */
export interface ObjectRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

/** The core group is written '', `core`, or not at all. */
const foldGroup = (group: string): string => (group.toLowerCase() === 'core' ? '' : group.toLowerCase());

/** Reads group, kind and name, and `namespace` where the kind of reference may have one. */
export const readRef = (
  fields: Fields,
  { namespaced }: { readonly namespaced: boolean },
): ObjectRef | undefined => {
  const group = fields.text('group');
  const kind = fields.need('kind', 'name the kind') ? fields.text('kind') : undefined;
  const name = fields.need('name', 'name the object') ? fields.text('name') : undefined;
  const namespace = namespaced ? fields.text('namespace') : undefined;
  fields.close();
  if (name === '') return fields.refuse('name', 'an empty text', 'name the object');
  if (kind === undefined || name === undefined) return undefined;
  return {
    group: foldGroup(group ?? ''),
    kind: kind.toLowerCase(),
    name: intern(name),
    namespace: namespace === undefined || namespace === '' ? undefined : intern(namespace),
  };
};

export const isRefTo = (ref: ObjectRef, group: string, kind: string): boolean =>
  ref.group === group && ref.kind === kind.toLowerCase();

/** Says of a reference what it points at, and that the core group is meant when none is written: easily forgotten. */
export const printRefKind = ({ group, kind }: ObjectRef): string =>
  `${describe(kind)} of ${group === '' ? 'the core group' : describe(group)}`;
