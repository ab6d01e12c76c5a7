import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';

type Service = KubeObject<'Service'>;
type Pod = KubeObject<'Pod'>;

/**
 * Who has an address: GetProfile asks by IP, and there may be thousands of pods and as many questions. Addresses are
 * texts as printIp has them, on both sides: parsers write them so, and so does target.ts.
 */
export class AddressIndex {
  readonly #services = new Map<string, Set<Service>>();
  readonly #pods = new Map<string, Set<Pod>>();
  readonly #hosted = new Map<string, Set<Pod>>();

  /** To be called with what ResourceIndex.apply answered, before anybody reads either. */
  apply(touched: readonly Touched[]): void {
    for (const { kind, before, after } of touched) {
      if (kind === 'Service') {
        if (before !== undefined) this.#moveService(before as Service, remove);
        if (after !== undefined) this.#moveService(after as Service, add);
      } else if (kind === 'Pod') {
        if (before !== undefined) this.#movePod(before as Pod, remove);
        if (after !== undefined) this.#movePod(after as Pod, add);
      }
    }
  }

  /** Services with this cluster IP. */
  services(ip: string): readonly Service[] {
    return [...(this.#services.get(ip) ?? [])];
  }

  /** Pods that say they have this address: more than one while an old one is ending. */
  pods(ip: string): readonly Pod[] {
    return [...(this.#pods.get(ip) ?? [])];
  }

  /** Pods with a hostPort on the node of this address. */
  podsOnHost(ip: string): readonly Pod[] {
    return [...(this.#hosted.get(ip) ?? [])];
  }

  #moveService(service: Service, move: Move): void {
    for (const ip of service.spec.clusterIps) move(this.#services, ip, service);
  }

  #movePod(pod: Pod, move: Move): void {
    for (const ip of pod.spec.ips) move(this.#pods, ip, pod);
    if (pod.spec.ports.some(({ hostPort }) => hostPort !== undefined)) {
      for (const ip of pod.spec.hostIps) move(this.#hosted, ip, pod);
    }
  }
}

type Move = <T>(owners: Map<string, Set<T>>, ip: string, owner: T) => void;

const add: Move = (owners, ip, owner) => {
  const known = owners.get(ip);
  if (known === undefined) owners.set(ip, new Set([owner]));
  else known.add(owner);
};

const remove: Move = (owners, ip, owner) => {
  const known = owners.get(ip);
  known?.delete(owner);
  if (known?.size === 0) owners.delete(ip);
};
