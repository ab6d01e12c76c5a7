import { intern } from '../intern.ts';
import type { PolicySource } from '../kinds.ts';
import { describe, type Fields } from './fields.ts';
import { readIdentities } from './identity-match.ts';
import { readSelector } from './label-selector.ts';
import { isNamespaceName, isObjectName } from './meta.ts';
import { readNetworks } from './network-match.ts';

type ServiceAccountRef = NonNullable<PolicySource['serviceAccounts']>[number];

const readServiceAccount = (ref: Fields, ownNamespace: string): ServiceAccountRef | undefined => {
  const name = ref.need('name', 'name a ServiceAccount') ? ref.text('name') : undefined;
  const namespace = ref.has('namespace') ? ref.text('namespace') : ownNamespace;
  ref.close();
  if (name !== undefined && !isObjectName(name)) {
    return ref.refuse(
      'name',
      `${describe(name)} is no ServiceAccount's name`,
      'lower-case letters, digits, `-`, `.`',
    );
  }
  if (namespace !== undefined && ref.has('namespace') && !isNamespaceName(namespace)) {
    return ref.refuse(
      'namespace',
      `${describe(namespace)} is no namespace`,
      'lower-case letters, digits and `-`',
    );
  }
  return name === undefined || namespace === undefined
    ? undefined
    : { name: intern(name), namespace: intern(namespace) };
};

/** One alternative of `spec.sources`: all that it gives must hold, and it gives something. */
export const readSource = (source: Fields, ownNamespace: string): PolicySource | undefined => {
  const podSelector = source.fields('podSelector');
  const namespaceSelector = source.fields('namespaceSelector');
  const serviceAccounts = source.eachFields('serviceAccounts', (ref) =>
    readServiceAccount(ref, ownNamespace),
  );
  const identities = readIdentities(source, 'identities');
  const networks = readNetworks(source, 'networks');
  const read: PolicySource = {
    ...(podSelector === undefined ? {} : { podSelector: readSelector(podSelector) }),
    ...(namespaceSelector === undefined ? {} : { namespaceSelector: readSelector(namespaceSelector) }),
    ...(serviceAccounts === undefined ? {} : { serviceAccounts }),
    ...(identities === undefined ? {} : { identities }),
    ...(networks === undefined ? {} : { networks }),
  };
  for (const name of ['serviceAccounts', 'identities', 'networks']) {
    // "Nobody" or "no condition": nobody can tell which was meant.
    if (source.isEmptyList(name)) source.refuse(name, 'an empty list', 'add an item, or remove the field');
  }
  source.close();
  if (source.names().length > 0) return read;
  return source.refuseSelf(
    'an empty source',
    'say who: podSelector, namespaceSelector, serviceAccounts, identities or networks',
  );
};
