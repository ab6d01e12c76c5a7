import type { NetworkAuthenticationSpec } from '@gatehouse/core/resources/kinds/linkerd';
import type { Fields } from './fields.ts';
import { readNetworks } from './network-match.ts';
import { closesNothing, policyParser } from './read.ts';

const readSpec = (spec: Fields): NetworkAuthenticationSpec => {
  spec.need('networks', 'name at least one network');
  const networks = readNetworks(spec, 'networks') ?? [];
  if (spec.isEmptyList('networks')) spec.refuse('networks', 'an empty list', 'name at least one network');
  spec.close();
  return { networks };
};

export const networkAuthenticationParser = policyParser<NetworkAuthenticationSpec>({
  read: readSpec,
  closes: () => closesNothing,
});
