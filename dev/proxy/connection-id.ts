import { printHostPort } from '@gatehouse/core/host-port';
import { printIp, readIp } from '@gatehouse/core/ip-network';

/** The ends of a TCP connection, as node:net and node:tls know them. */
interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** The response header in which a forward proxy tells its own pod which connection carried the request onwards. */
export const connectionHeader = 'gatehouse-dev-connection';

/**
 * Names a TCP connection by its two ends, client first. Both sides come to the same name, and `ss -tn` shows it, so
 * "the same connection" is something that anybody can check.
 */
export const connectionId = (socket: Ends, side: 'client' | 'server'): string => {
  const local = printEnd(socket.localAddress, socket.localPort);
  const remote = printEnd(socket.remoteAddress, socket.remotePort);
  return side === 'client' ? `${local}->${remote}` : `${remote}->${local}`;
};

const printEnd = (address: string | undefined, port: number | undefined): string => {
  const ip = readIp(address ?? '');
  return ip === undefined || port === undefined ? '?' : printHostPort({ host: printIp(ip), port });
};
