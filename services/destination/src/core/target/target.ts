import { printIp, readIp } from '@gatehouse/core/ip-network';
import { highestPort } from '@gatehouse/core/port-set';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

/** What a proxy asks about: the path of Get and GetProfile (`contract/linkerd-semantics.md` §3.1). */
export type Target = NameTarget | IpTarget;

/** `svc.ns.svc.<domain>`, or one instance of it: `inst.svc.ns.svc.<domain>`. */
export interface NameTarget {
  readonly kind: 'name';
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** The instance's hostname; undefined for the whole Service. */
  readonly instance: string | undefined;
}

export interface IpTarget {
  readonly kind: 'ip';
  /** As printIp has it, so that one address has one text. */
  readonly ip: string;
  readonly port: number;
}

/** What HTTP means by an authority without a port. */
const defaultPort = 80;

/** Reads `host[:port]`. Names are read without case and with or without the root dot, since proxies keep it. */
export const parseTarget = (path: string, clusterDomain: string): Parsed<Target> => {
  const split = splitPort(path);
  if (split === undefined) {
    return problem('path', `\`${path}\` is no host with a port`, 'use name:port, IPv4:port or [IPv6]:port');
  }
  const { host, port } = split;
  if (port === undefined) {
    return problem('path', `\`${path}\` has no valid port`, `1 to ${highestPort} after the colon`);
  }
  const ip = readIp(host);
  if (ip !== undefined) return parsed({ kind: 'ip', ip: printIp(ip), port });
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const suffix = ['svc', ...clusterDomain.split('.')];
  const names = labels.slice(0, -suffix.length);
  const ending = labels.slice(-suffix.length);
  const [service, namespace, instance] = names.slice(-2).concat(names.slice(0, -2));
  if (
    names.includes('') ||
    names.length > 3 ||
    service === undefined ||
    namespace === undefined ||
    ending.some((label, index) => label !== suffix[index])
  ) {
    return problem(
      'path',
      `\`${host}\` names no Service of this cluster`,
      `use service.namespace.${suffix.join('.')}, or an instance's hostname before it`,
    );
  }
  return parsed({ kind: 'name', namespace, name: service, port, instance });
};

/** The Service's name as profiles and policies print it, without the root dot. */
export const printServiceName = (
  { namespace, name }: { readonly namespace: string; readonly name: string },
  clusterDomain: string,
): string => `${name}.${namespace}.svc.${clusterDomain}`;

/** One text for every path that means the same, so that their lookups can be shared. */
export const printTarget = (target: Target): string => {
  switch (target.kind) {
    case 'ip':
      return target.ip.includes(':') ? `[${target.ip}]:${target.port}` : `${target.ip}:${target.port}`;
    case 'name': {
      const service = `${target.name}.${target.namespace}:${target.port}`;
      return target.instance === undefined ? service : `${target.instance}.${service}`;
    }
  }
};

const splitPort = (path: string): { host: string; port: number | undefined } | undefined => {
  const match = /^(?:\[([^[\]]+)\]|([^[\]:]+))(?::(.*))?$/s.exec(path);
  const [, bracketed, plain, text] = match ?? [];
  // Brackets are for IPv6 only: RFC 3986 §3.2.2.
  if (bracketed !== undefined && !bracketed.includes(':')) return undefined;
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  if (text === undefined) return { host, port: defaultPort };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return { host, port: port >= 1 && port <= highestPort ? port : undefined };
};
