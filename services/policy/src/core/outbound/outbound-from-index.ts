import { ServiceAddresses } from '@gatehouse/core/mesh/service-addresses';
import type { Authority } from '@gatehouse/core/mesh/service-authority';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { compileOutbound, type OutboundConfig } from './compile.ts';
import type { OutboundPolicy } from './model.ts';
import { serviceAt } from './service-at.ts';

/**
 * What a client is told of a target, by a look at every Service in the index; undefined when none answers to it. What
 * streams wait on is kept up to date by rows.ts, which must always give the same.
 */
export const outboundFromIndex = (
  index: ResourceIndex,
  target: Authority,
  config: OutboundConfig,
): OutboundPolicy | undefined => {
  const addresses = new ServiceAddresses();
  for (const service of index.all('Service')) addresses.replace(undefined, service);
  const service = serviceAt(target, { index, addresses, clusterDomain: config.clusterDomain });
  return service && compileOutbound(service, target.port, config);
};
