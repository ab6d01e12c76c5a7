import type { Socket } from 'node:net';

/** What an HTTP/2 client says first; its settings follow. */
export const http2Preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Bytes that begin no conversation with a gRPC server, as `latin1`. */
export const garbage: readonly [string, string][] = [
  ['nothing', ''],
  ['one byte', '\0'],
  ['an HTTP/1 request', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['half a preface', http2Preface.slice(0, 10)],
  ['a preface alone', http2Preface],
  ['a preface and a frame that is too long', `${http2Preface}\xff\xff\xff\0\0\0\0\0\0`],
  ['a preface and settings on a stream', `${http2Preface}\x00\x00\x00\x04\x00\x00\x00\x00\x01`],
  ['a TLS ClientHello that breaks off', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
  ['a TLS alert', '\x15\x03\x01\0\x02\x02\x28'],
  ['64 KiB of zeros', '\0'.repeat(65_536)],
];

/** Connects, sends, and waits until the server has hung up; the client itself ends only its own side. */
export const sendAndClose = async (socket: Socket, bytes: Uint8Array): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  socket.resume();
  socket.end(bytes);
  await promise;
};
