import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { dnsNamesOf } from '@gatehouse/core/der/certificate-names';
import type { ClientTls } from '@gatehouse/core/inbound/evaluate-inbound';
import { secureContextOptions, type TlsMaterial } from '@gatehouse/platform/tls/material';
import { connectionId } from './connection-id.ts';

/** A connection whose TLS this proxy has ended, and what that says of the client. */
export interface Terminated {
  readonly socket: TLSSocket;
  readonly tls: ClientTls;
}

/** Ends mutual TLS on connections whose ClientHello names this workload. */
export interface TlsTerminator {
  /** Rejects when the handshake failed or the client's certificate does not verify; the connection is closed then. */
  terminate(socket: Socket): Promise<Terminated>;
  /** What handshakes from now on show and believe. */
  replace(material: TlsMaterial): void;
}

const materialOptions = (material: TlsMaterial) => ({
  ...secureContextOptions(material.trustAnchors, material),
  // Anchors are whatever the bundle holds, self-signed or not (contract/proxy.md §3.4).
  allowPartialTrustChain: true,
});

/** Only one server makes it possible to ask OpenSSL for its verdict on a client's chain without demanding a certificate. */
export const createTlsTerminator = (material: TlsMaterial, handshakeTimeoutMs: number): TlsTerminator => {
  const waiting = new Map<string, PromiseWithResolvers<Terminated>>();
  const server = createServer({
    ...materialOptions(material),
    requestCert: true,
    // A client without a certificate is welcome; one whose certificate does not verify is refused below.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
  });
  const settle = (socket: Socket, finish: (waiter: PromiseWithResolvers<Terminated>) => void): void => {
    const waiter = waiting.get(connectionId(socket, 'server'));
    if (waiter === undefined) socket.destroy();
    else finish(waiter);
  };
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    settle(socket, ({ resolve, reject }) => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate !== undefined && !socket.authorized) {
        socket.destroy();
        reject(new Error(`the client's certificate does not verify: ${String(socket.authorizationError)}`));
        return;
      }
      const [name] = certificate === undefined ? [] : dnsNamesOf(certificate.raw);
      const tls: ClientTls =
        name === undefined ? { kind: 'anonymous' } : { kind: 'identified', id: 'dns', name };
      resolve({ socket, tls });
    });
  });
  server.on('tlsClientError', (error, socket) => {
    settle(socket, ({ reject }) => reject(error));
    socket.destroy();
  });
  return {
    terminate: async (socket) => {
      const id = connectionId(socket, 'server');
      const waiter = Promise.withResolvers<Terminated>();
      const onClose = (): void => waiter.reject(new Error('the client hung up during the handshake'));
      waiting.set(id, waiter);
      socket.once('close', onClose);
      server.emit('connection', socket);
      try {
        return await waiter.promise;
      } finally {
        waiting.delete(id);
        socket.off('close', onClose);
      }
    },
    replace: (next) => server.setSecureContext(materialOptions(next)),
  };
};
