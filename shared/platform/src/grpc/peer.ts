import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { dnsNamesOf } from '@gatehouse/core/der/certificate-names';
import { type Identity, parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { addressOf } from '../tls/client-of.ts';
import type { Peer } from './transport.ts';

/** Who is at the other end of a connection whose handshake is over. */
export const peerOf = (socket: Socket): Peer => ({
  address: addressOf(socket),
  port: socket.remotePort ?? 0,
  identity: socket instanceof TLSSocket && socket.authorized ? identityIn(socket) : undefined,
});

/** `authorized` is OpenSSL's verdict on the chain, dates and purpose; the name is only read here. */
const identityIn = (socket: TLSSocket): Identity | undefined => {
  const certificate = socket.getPeerX509Certificate();
  const name = certificate && dnsNamesOf(certificate.raw)[0];
  return name === undefined ? undefined : parseIdentity(name);
};
