import { SetMap } from '@gatehouse/core/dependency/set-map';
import { printIp, readIp } from '@gatehouse/core/ip-network';
import { bySeniority, nameClaimants, serviceHolder } from '@gatehouse/core/mesh/address-holder';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Contest } from '../contests.ts';
import { destinationName } from './compile.ts';

type Service = KubeObject<'Service'>;

/** Which Service answers to a ClusterIP. */
export class ServiceAddresses {
  readonly #byIp = new SetMap<string, Service>();
  readonly #contested = new Map<string, Contest>();

  /** The addresses that several Services have, of whom the oldest answers. */
  get contested(): ReadonlyMap<string, Contest> {
    return this.#contested;
  }

  /** Takes a Service's old and new state. */
  replace(before: Service | undefined, after: Service | undefined): void {
    for (const ip of addressesOf(before)) if (before !== undefined) this.#byIp.remove(ip, before);
    for (const ip of addressesOf(after)) if (after !== undefined) this.#byIp.add(ip, after);
    for (const ip of [...addressesOf(before), ...addressesOf(after)]) {
      const claimants = [...this.#byIp.get(ip)].sort(bySeniority);
      if (claimants.length > 1) this.#contested.set(ip, nameClaimants({ claimants }));
      else this.#contested.delete(ip);
    }
  }

  holder(ip: string): Service | undefined {
    return serviceHolder(this.#byIp.get(ip));
  }
}

/** In the one form that requests are printed in too, so that `fd00::0` and `fd00::` are one. */
export const addressesOf = (service: Service | undefined): readonly string[] =>
  (service?.spec.clusterIps ?? []).flatMap((text) => {
    const ip = readIp(text);
    return ip === undefined ? [] : [printIp(ip)];
  });

/**
 * Whether policy speaks for a Service. A headless Service or an ExternalName has no address of its own that policy could
 * stand for; and a name that is not a DNS name, which only a manifest outside Kubernetes can have, would panic the proxy
 * as a destination (`contract/proxy.md` §0 row 9).
 */
export const answersFor = (service: Service, clusterDomain: string): boolean =>
  service.spec.clusterIps.length > 0 && isDnsName(destinationName(service, clusterDomain));
