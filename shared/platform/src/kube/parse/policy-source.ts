import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import { spend } from './budget.ts';
import type { Fields } from './fields.ts';
import { readIdentities } from './identity-match.ts';
import { readSelector } from './label-selector.ts';
import { readNetworks } from './network-match.ts';
import { readServiceAccount } from './service-account-ref.ts';

/** One alternative of `spec.sources`: all that it gives must hold, and it gives something. */
export const readSource = (source: Fields, ownNamespace: string): PolicySource | undefined => {
  // What is selected by labels becomes identities, so a source of selectors counts as one.
  if (!spend(source, 'identities')) return undefined;
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
