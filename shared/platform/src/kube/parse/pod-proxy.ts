import { readIp } from '@gatehouse/core/ip-network';
import { type ProxyPorts, usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { isPort } from '@gatehouse/core/port-set';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import type { Fields } from './fields.ts';

const proxyContainer = 'linkerd-proxy';
const addressVariables = {
  inbound: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR',
  control: 'LINKERD2_PROXY_CONTROL_LISTEN_ADDR',
  admin: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR',
} as const satisfies Record<keyof ProxyPorts, string>;

/** What the pod's proxy was told by its environment (contract/proxy.md §5.1); what it is told otherwise nobody can see. */
export const readProxy = (containers: readonly Fields[]): Pick<PodSpec, 'proxyPorts' | 'proxyListensOn'> => {
  const environment = containers.map(readEnvironment).find((each) => each !== undefined) ?? new Map();
  const { inbound, control, admin } = addressVariables;
  const address = readListenAddress(environment.get(inbound));
  return {
    proxyPorts: {
      inbound: address?.port ?? usualProxyPorts.inbound,
      control: readListenAddress(environment.get(control))?.port ?? usualProxyPorts.control,
      admin: readListenAddress(environment.get(admin))?.port ?? usualProxyPorts.admin,
    },
    proxyListensOn: address === undefined ? 'unsaid' : familyOf(address.host),
  };
};

/** Of the proxy's container, with the last value of each variable, as kubelet has it. */
const readEnvironment = (container: Fields): ReadonlyMap<string, string> | undefined => {
  if (container.text('name') !== proxyContainer) return undefined;
  const known = new Set<string>(Object.values(addressVariables));
  const values = container.eachFields('env', (variable) => {
    const name = variable.text('name') ?? '';
    return known.has(name) ? ([name, variable.text('value') ?? ''] as const) : undefined;
  });
  return new Map(values);
};

interface ListenAddress {
  /** Perhaps of variables that kubelet fills in, such as `$(POD_IP)`. */
  readonly host: string;
  readonly port: number;
}

const readListenAddress = (text = ''): ListenAddress | undefined => {
  const [, host = '', digits] = /^\[?([^[\]]*)\]?:(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return isPort(port) ? { host, port } : undefined;
};

/** `[::]` takes IPv4 too, as sockets do on Linux unless they are told not to; the proxy tells them nothing. */
const familyOf = (host: string): PodSpec['proxyListensOn'] => {
  const ip = readIp(host);
  if (ip === undefined) return 'unsaid';
  if (ip.family === 6 && ip.bits === 0n) return 'both';
  return ip.family === 4 ? 'IPv4' : 'IPv6';
};
