import { printHostPort } from '../host-port.ts';
import { printIp, readIp } from '../ip-network.ts';
import { highestPort, isPort } from '../port-set.ts';
import { type Parsed, parsed, problem } from '../problem.ts';

/** Where a client wants to go: what a proxy asks policy and destination about, and a person the REST API. */
export type Authority = ServiceAuthority | AddressAuthority;

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** `svc.ns.svc.<domain>:port`, or one instance of the Service: `inst.svc.ns.svc.<domain>:port`. */
export interface ServiceAuthority extends ServiceName {
  readonly kind: 'service';
  readonly port: number;
  /** The instance's hostname; undefined for the whole Service. */
  readonly instance: string | undefined;
}

export interface AddressAuthority {
  readonly kind: 'address';
  /** As printIp has it, so that one address has one text. */
  readonly ip: string;
  readonly port: number;
}

/** What HTTP means by an authority without a port. */
const httpPort = 80;

/** The label between the namespace of a Service and the cluster domain. */
const infix = 'svc';

/** Reads `host[:port]`. Names are read without case and with or without the root dot, since proxies keep it. */
export const parseAuthority = (text: string, clusterDomain: string): Parsed<Authority> => {
  const split = splitPort(text);
  if (split === undefined) {
    return problem(
      'authority',
      `\`${text}\` is not a host with a port`,
      'use name:port, IPv4:port or [IPv6]:port',
    );
  }
  const { host, port } = split;
  if (port === undefined) {
    return problem('authority', `\`${text}\` has no valid port`, `1 to ${highestPort} after the colon`);
  }
  const ip = readIp(host);
  if (ip !== undefined) return parsed({ kind: 'address', ip: printIp(ip), port });
  const suffix = `.${infix}.${clusterDomain}`;
  const name = host.toLowerCase().replace(/\.$/, '');
  // From the right: the Service's name and namespace have no dots, and what is before them is an instance's hostname.
  const labels = name.endsWith(suffix) ? name.slice(0, -suffix.length).split('.') : [];
  const [namespace, service, instance] = labels.toReversed();
  if (labels.includes('') || labels.length > 3 || service === undefined || namespace === undefined) {
    return problem(
      'authority',
      `\`${host}\` names no Service of this cluster`,
      `use service.namespace${suffix}, or an instance's hostname before it`,
    );
  }
  return parsed({ kind: 'service', namespace, name: service, port, instance });
};

/** The name by which clients, profiles and policies know a Service, without the root dot. */
export const printServiceName = ({ namespace, name }: ServiceName, clusterDomain: string): string =>
  `${name}.${namespace}.${infix}.${clusterDomain}`;

/** One text for every authority that means the same; parseAuthority reads it back. */
export const printAuthority = (authority: Authority, clusterDomain: string): string => {
  switch (authority.kind) {
    case 'address':
      return printHostPort({ host: authority.ip, port: authority.port });
    case 'service': {
      const service = `${printServiceName(authority, clusterDomain)}:${authority.port}`;
      return authority.instance === undefined ? service : `${authority.instance}.${service}`;
    }
  }
};

/**
 * `backend`, `backend.demo` and `backend.demo.svc` in full, as the resolver of a pod in `namespace` completes them. Any
 * other name, and one that the root dot makes absolute, stays what it is.
 */
export const completeServiceName = (
  host: string,
  { namespace, clusterDomain }: { readonly namespace: string; readonly clusterDomain: string },
): string => {
  const text = host.toLowerCase();
  if (text.endsWith('.')) return text.slice(0, -1);
  const [name = '', second, third, ...more] = text.split('.');
  const isShort = more.length === 0 && (third === undefined || third === infix);
  return isShort ? printServiceName({ name, namespace: second ?? namespace }, clusterDomain) : text;
};

/** What all names of Services end in, as a proxy is told it: absolute, with the root dot. */
export const serviceSuffix = (clusterDomain: string): string => `${infix}.${clusterDomain}.`;

/** The cluster domain in what all names of Services end in: `cluster.local` of `svc.cluster.local.`. */
export const clusterDomainIn = (suffix: string): string | undefined =>
  suffix.startsWith(`${infix}.`) ? suffix.slice(infix.length + 1).replace(/\.$/, '') : undefined;

const splitPort = (
  text: string,
): { readonly host: string; readonly port: number | undefined } | undefined => {
  const match = /^(?:\[([^[\]]+)\]|([^[\]:]+))(?::(.*))?$/s.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  // Brackets are for IPv6 only: RFC 3986 §3.2.2.
  if (bracketed !== undefined && !bracketed.includes(':')) return undefined;
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  if (digits === undefined) return { host, port: httpPort };
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return { host, port: isPort(port) ? port : undefined };
};
