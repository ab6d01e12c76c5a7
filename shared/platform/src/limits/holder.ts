import { printIp, readIp } from '@gatehouse/core/ip-network';

/**
 * Who is behind an address, as far as a bound per client can tell: an IPv4 address, or the /64 that an IPv6 address lies
 * in, since one host can take any address there (RFC 8981).
 */
export const holderOf = (address: string): string => {
  const ip = readIp(address);
  if (ip === undefined) return address;
  return ip.family === 4 ? printIp(ip) : `${printIp({ family: 6, bits: (ip.bits >> 64n) << 64n })}/64`;
};
