import { SetMap } from '../dependency/set-map.ts';
import type { KubeObject } from '../resources/kinds.ts';
import { bySeniority, type NamedClaimants, nameClaimants, serviceHolder } from './address-holder.ts';

type Service = KubeObject<'Service'>;

/**
 * Which Service answers to a cluster IP, for policy and destination alike. Addresses are texts as printIp has them, on
 * both sides: the parser writes them so, and so do the readers of requests.
 */
export class ServiceAddresses {
  readonly #byIp = new SetMap<string, Service>();
  readonly #contested = new Map<string, NamedClaimants>();

  /** The addresses that several Services have, of whom the oldest answers. */
  get contested(): ReadonlyMap<string, NamedClaimants> {
    return this.#contested;
  }

  /** Takes a Service's old and new state. */
  replace(before: Service | undefined, after: Service | undefined): void {
    for (const ip of before?.spec.clusterIps ?? []) if (before !== undefined) this.#byIp.remove(ip, before);
    for (const ip of after?.spec.clusterIps ?? []) if (after !== undefined) this.#byIp.add(ip, after);
    for (const ip of [...(before?.spec.clusterIps ?? []), ...(after?.spec.clusterIps ?? [])]) {
      const claimants = [...this.#byIp.get(ip)].sort(bySeniority);
      if (claimants.length > 1) this.#contested.set(ip, nameClaimants(claimants));
      else this.#contested.delete(ip);
    }
  }

  holder(ip: string): Service | undefined {
    return serviceHolder(this.#byIp.get(ip));
  }
}
