import { intern } from '../intern.ts';
import { spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';
import { isNamespaceName, isObjectName } from './meta.ts';

export interface ServiceAccountRef {
  readonly name: string;
  readonly namespace: string;
}

/** `{name, namespace?}`; without a namespace it is of the object's own. */
export const readServiceAccount = (ref: Fields, ownNamespace: string): ServiceAccountRef | undefined => {
  if (!spend(ref, 'identities')) return undefined;
  const name = ref.need('name', 'name a ServiceAccount') ? ref.text('name') : undefined;
  const namespace = ref.has('namespace') ? ref.text('namespace') : ownNamespace;
  ref.close();
  if (name !== undefined && !isObjectName(name)) {
    return ref.refuse(
      'name',
      `${describe(name)} is not a ServiceAccount's name`,
      'lower-case letters, digits, `-`, `.`',
    );
  }
  if (namespace !== undefined && ref.has('namespace') && !isNamespaceName(namespace)) {
    return ref.refuse(
      'namespace',
      `${describe(namespace)} is not a valid namespace`,
      'lower-case letters, digits and `-`',
    );
  }
  return name === undefined || namespace === undefined
    ? undefined
    : { name: intern(name), namespace: intern(namespace) };
};
