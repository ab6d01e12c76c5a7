import { readIp } from '@gatehouse/core/ip-network';
import { isPort } from '@gatehouse/core/port-set';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import type { Fields } from './fields.ts';

const proxyContainer = 'linkerd-proxy';
const inboundAddressVariable = 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR';
const defaultInboundPort = 4143;

/** What the pod's proxy was told by its environment (contract/proxy.md §5.1); what it is told otherwise nobody can see. */
export const readProxy = (
  containers: readonly Fields[],
): Pick<PodSpec, 'proxyInboundPort' | 'proxyListensOn'> => {
  const address = containers.map(readInboundAddress).find((each) => each !== undefined);
  return {
    proxyInboundPort: address?.port ?? defaultInboundPort,
    proxyListensOn: address === undefined ? 'both' : familyOf(address.host),
  };
};

interface InboundAddress {
  /** Perhaps of variables that kubelet fills in, such as `$(POD_IP)`. */
  readonly host: string;
  readonly port: number;
}

const readInboundAddress = (container: Fields): InboundAddress | undefined => {
  if (container.text('name') !== proxyContainer) return undefined;
  const values = container.eachFields('env', (variable) =>
    variable.text('name') === inboundAddressVariable ? variable.text('value') : undefined,
  );
  const [, host = '', digits] = /^\[?([^[\]]*)\]?:(\d{1,5})$/.exec(values?.at(-1) ?? '') ?? [];
  const port = Number(digits);
  return isPort(port) ? { host, port } : undefined;
};

/** `[::]` takes IPv4 too, as sockets do on Linux unless they are told not to; the proxy tells them nothing. */
const familyOf = (host: string): PodSpec['proxyListensOn'] => {
  const ip = readIp(host);
  if (ip === undefined || (ip.family === 6 && ip.bits === 0n)) return 'both';
  return ip.family === 4 ? 'IPv4' : 'IPv6';
};
