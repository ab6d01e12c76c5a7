import { printHostPort } from '@gatehouse/core/host-port';
import { printIp, readIp } from '@gatehouse/core/ip-network';
import { isPort } from '@gatehouse/core/port-set';

/** What a client asks the way to. */
export type OutboundTarget =
  /** `ip` as `printIp` writes it. */
  | { readonly kind: 'address'; readonly ip: string; readonly port: number }
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port: number };

/** An authority without port means this one, as in a URL. */
const httpPort = 80;

/**
 * Reads `name.ns.svc.domain`, with or without a port and the dot that makes a name absolute. Undefined for anything
 * else: it may be a name outside the cluster, which is no mistake of the client.
 */
export const readServiceAuthority = (
  authority: string,
  clusterDomain: string,
): OutboundTarget | undefined => {
  const match = /^([^:]+?)\.?(?::(\d{1,5}))?$/.exec(authority.toLowerCase());
  const suffix = `.svc.${clusterDomain}`;
  const host = match?.[1] ?? '';
  if (!host.endsWith(suffix)) return undefined;
  const [name, namespace, ...more] = host.slice(0, -suffix.length).split('.');
  const port = match?.[2] === undefined ? httpPort : Number(match[2]);
  if (!name || !namespace || more.length > 0 || !isPort(port)) return undefined;
  return { kind: 'service', namespace, name, port };
};

/** Reads `ip:port`, as people write it: IPv6 in brackets. */
export const readAddressTarget = (text: string): OutboundTarget | undefined => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const ip = readIp(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  return ip === undefined || !isPort(port) ? undefined : { kind: 'address', ip: printIp(ip), port };
};

/** `10.0.0.1:80`, or `demo/backend:80`. */
export const printTarget = (target: OutboundTarget): string => {
  switch (target.kind) {
    case 'address':
      return printHostPort({ host: target.ip, port: target.port });
    case 'service':
      return `${target.namespace}/${target.name}:${target.port}`;
  }
};
