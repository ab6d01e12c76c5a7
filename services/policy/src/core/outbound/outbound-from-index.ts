import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { compileOutbound, type OutboundConfig } from './compile.ts';
import type { OutboundPolicy } from './model.ts';
import { answersFor, ServiceAddresses } from './service-addresses.ts';
import type { OutboundTarget } from './target.ts';

/**
 * What a client is told of a target, by a look at every Service in the index; undefined when none answers to it. What
 * streams wait on is kept up to date by rows.ts, which must always give the same.
 */
export const outboundFromIndex = (
  index: ResourceIndex,
  target: OutboundTarget,
  config: OutboundConfig,
): OutboundPolicy | undefined => {
  const addresses = new ServiceAddresses();
  for (const service of index.all('Service')) addresses.replace(undefined, service);
  const service =
    target.kind === 'service'
      ? index.get('Service', target.namespace, target.name)
      : addresses.holder(target.ip);
  return service !== undefined && answersFor(service, config.clusterDomain)
    ? compileOutbound(service, target.port, config)
    : undefined;
};
