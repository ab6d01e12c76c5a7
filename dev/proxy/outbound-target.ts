import { type HostPort, parseHostPort } from '@gatehouse/core/host-port';
import { type IpAddress, readIp } from '@gatehouse/core/ip-network';
import { completeServiceName } from '@gatehouse/core/mesh/service-authority';

/** Where an application wants to go. */
export type OutboundTarget =
  /** `svc.ns.svc.cluster.local:8080`, as the control plane is asked for it. */
  | { readonly kind: 'name'; readonly authority: string }
  | { readonly kind: 'address'; readonly ip: IpAddress; readonly at: HostPort };

export interface TargetContext {
  /** The pod's own namespace. */
  readonly namespace: string;
  readonly clusterDomain: string;
}

/** Reads `host[:port]` of a request to a forward proxy; undefined when it is neither a name nor an address. */
export const readOutboundTarget = (authority: string, context: TargetContext): OutboundTarget | undefined => {
  const withPort = /:\d+$/.test(authority) ? authority : `${authority}:80`;
  const outcome = parseHostPort(withPort.toLowerCase());
  if (!outcome.ok || outcome.value.port === 0) return undefined;
  const { host, port } = outcome.value;
  const ip = readIp(host);
  return ip === undefined
    ? { kind: 'name', authority: `${completeServiceName(host, context)}:${port}` }
    : { kind: 'address', ip, at: outcome.value };
};
