import type { ServiceAddresses } from '@gatehouse/core/mesh/service-addresses';
import { type Authority, printServiceName } from '@gatehouse/core/mesh/service-authority';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';

interface Services {
  readonly index: ResourceIndex;
  /** Of the same index. */
  readonly addresses: Pick<ServiceAddresses, 'holder'>;
  readonly clusterDomain: string;
}

/** The Service that policy speaks for where a client wants to go; undefined where it speaks for none. */
export const serviceAt = (
  target: Authority,
  { index, addresses, clusterDomain }: Services,
): KubeObject<'Service'> | undefined => {
  const service =
    target.kind === 'address'
      ? addresses.holder(target.ip)
      : // One instance is a pod, which a Service's policy would balance away from: destination alone answers for it.
        target.instance === undefined
        ? index.get('Service', target.namespace, target.name)
        : undefined;
  return service !== undefined && isSpokenFor(service, clusterDomain) ? service : undefined;
};

/**
 * A headless Service or an ExternalName has no address of its own that policy could stand for; and a name that is not a
 * DNS name, which only a manifest outside Kubernetes can have, would panic the proxy as a destination
 * (`contract/proxy.md` §0 row 9).
 */
const isSpokenFor = ({ meta, spec }: KubeObject<'Service'>, clusterDomain: string): boolean =>
  spec.clusterIps.length > 0 && isDnsName(printServiceName(meta, clusterDomain));
