import { Agent } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import { sendHttp1 } from './send-http1.ts';
import { sendHttp2 } from './send-http2.ts';

/** The application behind an inbound port. */
export interface AppTarget {
  /** Sends a request in the protocol version it has; rejects when the application cannot be reached. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Opens a raw connection. */
  connect(): Promise<Socket>;
  close(): void;
}

/** Opens a TCP connection or rejects within `timeoutMs`. */
export const openTcp = (
  to: HostPort & { readonly localAddress?: string },
  timeoutMs: number,
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...to, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(
      () => socket.destroy(new Error(`${printHostPort(to)} did not answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail).once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail).on('error', () => socket.destroy());
      resolve(socket);
    });
  });

/** Reaches an application by HTTP/1 over kept connections, by HTTP/2 over one, and raw. */
export const createAppTarget = (address: HostPort, connectTimeoutMs: number): AppTarget => {
  const agent = new Agent({ keepAlive: true, host: address.host, port: address.port });
  let session: ClientHttp2Session | undefined;
  const http2 = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(`http://${printHostPort(address)}`);
      // Its streams report what went wrong.
      session.on('error', () => {});
    }
    return session;
  };
  return {
    send: (request) => (request.version === 2 ? sendHttp2(http2(), request) : sendHttp1(agent, request)),
    connect: () => openTcp(address, connectTimeoutMs),
    close: () => {
      agent.destroy();
      session?.destroy();
    },
  };
};
