import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, textOf } from './object-meta.ts';
import type { Store } from './store.ts';

/** The range 10.96.0.0/16, whose first address is that of the Service `kubernetes`. */
const first = 2;
const last = 2 ** 16 - 2;

/** The Service with a cluster IP that no other has; as it is, when it has one, wants none, or is an ExternalName. */
export const allocateClusterIp = (store: Store, service: WireObject): WireObject => {
  const spec = fieldsOf(service.spec);
  if (spec.type === 'ExternalName' || textOf(spec.clusterIP) !== '') return service;
  const taken = new Set(
    [...store.list('/services')].map(([, other]) => textOf(fieldsOf(other.spec).clusterIP)),
  );
  for (let number = first; number <= last; number += 1) {
    const clusterIP = `10.96.${number >> 8}.${number & 0xff}`;
    if (taken.has(clusterIP)) continue;
    const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
    return { ...service, spec: { ...families, ...spec, clusterIP, clusterIPs: [clusterIP] } };
  }
  return service;
};
