import { SetMap } from '../dependency/set-map.ts';
import type { KubeObject } from '../resources/kinds.ts';
import type { Touched } from '../resources/resource-index.ts';
import {
  type AddressHolder,
  addressHolder,
  type ExternalHolder,
  externalHolder,
  hostPortHolder,
} from './address-holder.ts';
import { ServiceAddresses } from './service-addresses.ts';

type Service = KubeObject<'Service'>;
type Pod = KubeObject<'Pod'>;
type ExternalWorkload = KubeObject<'ExternalWorkload'>;

/**
 * Whose an address is, asked by address: there may be thousands of pods and as many questions. Addresses are texts as
 * printIp has them, on both sides: parsers write them so, and so do the readers of requests.
 */
export class AddressIndex {
  readonly #services = new ServiceAddresses();
  readonly #pods = new SetMap<string, Pod>();
  /** Pods that map ports of their node, by the node's addresses. */
  readonly #onHosts = new SetMap<string, Pod>();
  readonly #external = new SetMap<string, ExternalWorkload>();

  /** To be called with what ResourceIndex.apply answered, before anybody reads either. */
  apply(touched: readonly Touched[]): void {
    for (const { kind, before, after } of touched) {
      if (kind === 'Service') {
        this.#services.replace(before as Service | undefined, after as Service | undefined);
      } else if (kind === 'Pod') {
        if (before !== undefined) this.#enterPod(before as Pod, 'remove');
        if (after !== undefined) this.#enterPod(after as Pod, 'add');
      } else if (kind === 'ExternalWorkload') {
        for (const ip of (before as ExternalWorkload | undefined)?.spec.ips ?? [])
          this.#external.remove(ip, before as ExternalWorkload);
        for (const ip of (after as ExternalWorkload | undefined)?.spec.ips ?? [])
          this.#external.add(ip, after as ExternalWorkload);
      }
    }
  }

  /** The Service that answers to a cluster IP. */
  service(ip: string): Service | undefined {
    return this.#services.holder(ip);
  }

  pod(ip: string): AddressHolder {
    return addressHolder(this.#pods.get(ip));
  }

  /** The pod that a node's port leads to. */
  podAtHostPort(ip: string, port: number): ReturnType<typeof hostPortHolder> {
    return hostPortHolder(this.#onHosts.get(ip), port);
  }

  /** The ExternalWorkload that serves a port of an address. */
  externalWorkload(ip: string, port: number): ExternalHolder {
    return externalHolder(this.#external.get(ip), port);
  }

  #enterPod(pod: Pod, how: 'add' | 'remove'): void {
    for (const ip of pod.spec.ips) this.#pods[how](ip, pod);
    if (pod.spec.ports.some(({ hostPort }) => hostPort !== undefined)) {
      for (const ip of pod.spec.hostIps) this.#onHosts[how](ip, pod);
    }
  }
}
