import type { IpAddress, IpNetwork } from '@gatehouse/core/ip-network';
import type { IPAddress, IPNetwork, TcpAddress } from '../gen/io/linkerd/proxy/net.ts';

const low64 = (1n << 64n) - 1n;

/** Our address as `net.IPAddress`: IPv4 one fixed32, IPv6 two fixed64, big-endian in value. */
export const encodeIp = ({ family, bits }: IpAddress): IPAddress =>
  family === 4
    ? { ip: { $case: 'ipv4', value: Number(bits) } }
    : { ip: { $case: 'ipv6', value: { first: bits >> 64n, last: bits & low64 } } };

/** Undefined when the message names no address, which is how the proxy treats it too. */
export const decodeIp = (message: IPAddress | undefined): IpAddress | undefined => {
  switch (message?.ip?.$case) {
    case 'ipv4':
      return { family: 4, bits: BigInt(message.ip.value) };
    case 'ipv6':
      return { family: 6, bits: (message.ip.value.first << 64n) | message.ip.value.last };
    case undefined:
      return undefined;
  }
};

export const encodeNetwork = ({ family, bits, prefix }: IpNetwork): IPNetwork => ({
  ip: encodeIp({ family, bits }),
  prefixLen: prefix,
});

/** Undefined without an address, or with a prefix longer than the address. Host bits are cleared. */
export const decodeNetwork = (message: IPNetwork | undefined): IpNetwork | undefined => {
  const ip = decodeIp(message?.ip);
  const width = ip?.family === 4 ? 32 : 128;
  if (message === undefined || ip === undefined || message.prefixLen > width) return undefined;
  const hostBits = BigInt(width - message.prefixLen);
  return { family: ip.family, bits: (ip.bits >> hostBits) << hostBits, prefix: message.prefixLen };
};

export const encodeTcpAddress = (ip: IpAddress, port: number): TcpAddress => ({ ip: encodeIp(ip), port });
