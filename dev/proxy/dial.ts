import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { dnsNamesOf } from '@gatehouse/core/der/certificate-names';
import { printHostPort } from '@gatehouse/core/host-port';
import { secureContextOptions, type TlsMaterial } from '@gatehouse/platform/tls/material';
import { openTcp } from './app-target.ts';
import type { Endpoint } from './endpoints.ts';

export interface DialOptions {
  /** The pod's own address: whom the other side sees. */
  readonly localAddress: string | undefined;
  /** What is shown and believed now, as soon as there is anything. */
  readonly material: () => Promise<TlsMaterial>;
  readonly timeoutMs: number;
}

/** No connection came about, so nothing has been sent and another try is harmless. */
export class DialError extends Error {}

const startTls = (
  socket: Socket,
  identity: NonNullable<Endpoint['identity']>,
  { material, timeoutMs }: { readonly material: TlsMaterial; readonly timeoutMs: number },
): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const tls = connectTls({
      socket,
      servername: identity.serverName,
      ...secureContextOptions(material.trustAnchors, material),
      allowPartialTrustChain: true,
      // OpenSSL has checked the path by now. The name as the proxy checks it: one DNS SAN must be it.
      checkServerIdentity: (_name, { raw }) =>
        dnsNamesOf(raw).includes(identity.name)
          ? undefined
          : new Error(`the peer is ${dnsNamesOf(raw).join(', ')}, not ${identity.name}`),
    });
    const timer = setTimeout(() => fail(new Error('no TLS handshake in time')), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    tls.on('error', fail).once('close', () => fail(new Error('the peer closed during the handshake')));
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(tls);
    });
  });

/** Connects to an endpoint, with mutual TLS and the identity verified if it has one; rejects with a DialError. */
export const dial = async (endpoint: Endpoint, options: DialOptions): Promise<Socket> => {
  const { localAddress, timeoutMs } = options;
  try {
    const to = { ...endpoint.address, ...(localAddress === undefined ? {} : { localAddress }) };
    if (endpoint.identity === undefined) return await openTcp(to, timeoutMs);
    const material = await options.material();
    return await startTls(await openTcp(to, timeoutMs), endpoint.identity, { material, timeoutMs });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DialError(`no connection to ${printHostPort(endpoint.address)}: ${reason}`, { cause });
  }
};
