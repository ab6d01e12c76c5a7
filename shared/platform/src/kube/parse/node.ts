import type { NodeSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern } from '../intern.ts';
import { readAddress } from './ip-list.ts';
import { type Read, readCore, type Wire } from './read.ts';

const zoneLabel = 'topology.kubernetes.io/zone';
const addressTypes: ReadonlySet<unknown> = new Set(['InternalIP', 'ExternalIP']);

export const parseNode = (wire: Wire): Read<NodeSpec> =>
  readCore(wire, (body) => {
    const ips = body
      .part('status')
      .eachFields('addresses', (address) =>
        addressTypes.has(address.raw('type'))
          ? readAddress(address, 'address', address.raw('address'))
          : undefined,
      );
    return { zone: intern(wire.meta.labels[zoneLabel] ?? ''), ips: [...new Set(ips)] };
  });
