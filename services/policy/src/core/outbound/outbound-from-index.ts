import { serviceHolder } from '@gatehouse/core/mesh/address-holder';
import type { Authority } from '@gatehouse/core/mesh/service-authority';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { compileOutbound, type OutboundConfig } from './compile.ts';
import type { OutboundPolicy } from './model.ts';
import { serviceAt } from './service-at.ts';

/**
 * What a client is told of a target, by a look at the index; undefined when no Service answers to it. What streams wait
 * on is kept up to date by rows.ts, which must always give the same.
 */
export const outboundFromIndex = (
  index: ResourceIndex,
  target: Authority,
  config: OutboundConfig,
): OutboundPolicy | undefined => {
  const at = (ip: string) => [...index.all('Service')].filter(({ spec }) => spec.clusterIps.includes(ip));
  const addresses = { holder: (ip: string) => serviceHolder(at(ip)) };
  const service = serviceAt(target, { index, addresses, clusterDomain: config.clusterDomain });
  return service && compileOutbound(service, target.port, config);
};
