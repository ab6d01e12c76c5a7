import {
  type IpNetwork,
  type NetworkMatch,
  networkCovers,
  parseNetwork,
  printNetwork,
} from '@gatehouse/core/ip-network';
import { spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';

const readCidr = (fields: Fields, name: string, value: unknown): IpNetwork | undefined =>
  typeof value === 'string'
    ? fields.take(parseNetwork(value, fields.pathOf(name)))
    : fields.refuse(
        name,
        `${describe(value)} is not a valid network`,
        'a CIDR in a text, such as "10.0.0.0/8"',
      );

/** `{cidr, except}`; an exception lies inside the network and leaves something of it (semantics §2.11). */
const readNetwork = (item: Fields): NetworkMatch | undefined => {
  if (!spend(item, 'networks')) return undefined;
  const net = item.need('cidr', 'a CIDR such as 10.0.0.0/8')
    ? readCidr(item, 'cidr', item.raw('cidr'))
    : undefined;
  const except =
    item.each('except', (value, name) => {
      if (!spend(item, 'networks')) return undefined;
      const hole = readCidr(item, name, value);
      if (hole === undefined || net === undefined) return hole;
      if (networkCovers(hole, net)) {
        return item.refuse(
          name,
          `${printNetwork(hole)} takes all of ${printNetwork(net)}`,
          'leave something of it',
        );
      }
      if (!networkCovers(net, hole)) {
        return item.refuse(
          name,
          `${printNetwork(hole)} is not in ${printNetwork(net)}`,
          'use a network inside it',
        );
      }
      return hole;
    }) ?? [];
  item.close();
  return net === undefined ? undefined : { net, except };
};

export const readNetworks = (fields: Fields, name: string): readonly NetworkMatch[] | undefined =>
  fields.eachFields(name, readNetwork);
