import type { IPAddress, IPNetwork } from '../../gen/io/linkerd/proxy/net.ts';
import { type IpAddress, type IpNetwork, parseNetwork, printIp } from '../core/ip-network.ts';
import { type Parsed, problem } from '../core/problem.ts';

const low64 = 0xffff_ffff_ffff_ffffn;

/** An address as the proxy API has it: IPv4 as one number, IPv6 as two halves, both big-endian in value. */
export const encodeIp = ({ family, bits }: IpAddress): IPAddress =>
  family === 4
    ? { ip: { $case: 'ipv4', value: Number(bits) } }
    : { ip: { $case: 'ipv6', value: { first: bits >> 64n, last: bits & low64 } } };

/** Undefined when no address is set. IPv4-mapped IPv6 is read as IPv4, as everywhere. */
export const decodeIp = (address: IPAddress | undefined): IpAddress | undefined => {
  switch (address?.ip?.$case) {
    case 'ipv4':
      return { family: 4, bits: BigInt(address.ip.value) };
    case 'ipv6': {
      const bits = (address.ip.value.first << 64n) | address.ip.value.last;
      return bits >> 32n === 0xffffn ? { family: 4, bits: bits & 0xffff_ffffn } : { family: 6, bits };
    }
    case undefined:
      return undefined;
  }
};

export const encodeNetwork = (net: IpNetwork): IPNetwork => ({ ip: encodeIp(net), prefixLen: net.prefix });

export const decodeNetwork = (network: IPNetwork | undefined, field: string): Parsed<IpNetwork> => {
  const ip = decodeIp(network?.ip);
  if (network === undefined || ip === undefined) return problem(field, 'no address', 'set `ip`');
  return parseNetwork(`${printIp(ip)}/${network.prefixLen}`, field);
};
