import { readIp } from './ip-network.ts';
import { isDnsName } from './mesh/workload-identity.ts';
import { highestPort } from './port-set.ts';
import { type Parsed, parsed, problem } from './problem.ts';

/** Where to listen or to dial. `host` is an address without brackets or a DNS name; port 0 asks the system for one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `0.0.0.0:8080`, `[::1]:0` or `name.ns:8086`; a name may end in the dot that makes it absolute. */
export const parseHostPort = (text: string, field = ''): Parsed<HostPort> => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? '';
  const family = readIp(host)?.family;
  const bracketed = match?.[1] !== undefined;
  const valid = bracketed ? family !== undefined && host.includes(':') : family === 4 || isHostName(host);
  if (match === null || !valid || port > highestPort) {
    return problem(
      field,
      `\`${text}\` is not a valid address`,
      'host:port, such as 127.0.0.1:8080, [::1]:8080 or name:8080',
    );
  }
  return parsed({ host, port });
};

export const printHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

// A name that ends in a number would be read as an address by resolvers (`127.1` is 127.0.0.1 to them).
const isHostName = (host: string): boolean => isDnsName(withoutDot(host)) && !/(?:^|\.)\d+\.?$/.test(host);

const withoutDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name);

/** Whether only this machine can reach the address: 127.0.0.0/8, ::1 or the name localhost (contract/proxy.md §0 row 2). */
export const isLoopback = (host: string): boolean => {
  const ip = readIp(host);
  if (ip === undefined) return withoutDot(host) === 'localhost';
  return ip.family === 4 ? ip.bits >> 24n === 127n : ip.bits === 1n;
};
