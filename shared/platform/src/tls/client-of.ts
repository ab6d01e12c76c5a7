import type { Socket } from 'node:net';
import { printHostPort } from '@gatehouse/core/host-port';
import { printIp, readIp } from '@gatehouse/core/ip-network';

type Connected = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** A client's address in its one spelling: an IPv4 client of a dual-stack listener is one of IPv4. '' once it has gone. */
export const addressOf = ({ remoteAddress = '' }: Connected): string => {
  const ip = readIp(remoteAddress);
  return ip === undefined ? remoteAddress : printIp(ip);
};

/** A connection's client as the log names it: `host:port`, IPv6 in brackets. */
export const clientOf = (socket: Connected): string =>
  printHostPort({ host: addressOf(socket), port: socket.remotePort ?? 0 });
