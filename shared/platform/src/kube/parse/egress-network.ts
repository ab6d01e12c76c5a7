import type { EgressNetworkSpec } from '@gatehouse/core/resources/kinds/linkerd';
import type { Fields } from './fields.ts';
import { readNetworks } from './network-match.ts';
import { closesNothing, policyParser } from './read.ts';

const readSpec = (spec: Fields): EgressNetworkSpec | undefined => {
  const trafficPolicy = spec.need('trafficPolicy', 'Allow or Deny')
    ? spec.oneOf('trafficPolicy', ['Allow', 'Deny'])
    : undefined;
  const networks = readNetworks(spec, 'networks');
  if (spec.isEmptyList('networks'))
    spec.refuse(
      'networks',
      'an empty list',
      'name a network, or remove the field to mean all outside the cluster',
    );
  spec.close();
  return trafficPolicy === undefined ? undefined : { trafficPolicy, networks };
};

/** A rejected one closes no port of any pod: it is about what pods call. */
export const egressNetworkParser = policyParser<EgressNetworkSpec>({
  read: readSpec,
  closes: () => closesNothing,
});
