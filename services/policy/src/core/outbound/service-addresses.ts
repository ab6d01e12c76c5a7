import { SetMap } from '@gatehouse/core/dependency/set-map';
import { printIp, readIp } from '@gatehouse/core/ip-network';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { destinationName } from './compile.ts';

type Service = KubeObject<'Service'>;

/** Which Service answers to a ClusterIP. */
export class ServiceAddresses {
  readonly #byIp = new SetMap<string, Service>();

  /** Takes a Service's old and new state; answers every other Service whose addresses may now lead elsewhere. */
  replace(before: Service | undefined, after: Service | undefined): ReadonlySet<Service> {
    const concerned = new Set<Service>();
    for (const ip of addressesOf(before)) {
      if (before !== undefined) this.#byIp.remove(ip, before);
      for (const other of this.#byIp.get(ip)) concerned.add(other);
    }
    for (const ip of addressesOf(after)) {
      for (const other of this.#byIp.get(ip)) concerned.add(other);
      if (after !== undefined) this.#byIp.add(ip, after);
    }
    return concerned;
  }

  /** While two Services claim an address the older one has it, then the one whose name comes first. */
  holder(ip: string): Service | undefined {
    let holder: Service | undefined;
    for (const service of this.#byIp.get(ip)) {
      if (holder === undefined || comesFirst(service, holder)) holder = service;
    }
    return holder;
  }
}

const comesFirst = ({ meta: a }: Service, { meta: b }: Service): boolean => {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt;
  return a.namespace === b.namespace ? a.name < b.name : a.namespace < b.namespace;
};

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
