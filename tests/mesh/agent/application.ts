import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer, Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { createServer as createTls } from 'node:tls';
import { AskedByPath } from './asked-by-path.ts';
import { grpcApplication } from './grpc-application.ts';
import type { Seen, ServedTls } from './messages.ts';

export interface Application {
  readonly name: string;
  readonly ports: readonly number[];
  readonly tls?: ServedTls;
  readonly grpc?: readonly number[];
}

/** Starts listening; every request and every raw message is handed to `see`. The process's end is its end. */
export const startApplication = async (
  application: Application,
  see: (seen: Seen) => void,
): Promise<void> => {
  await Promise.all(application.ports.map((port) => listen(application, port, see)));
};

const http2Preface = 'PRI * HTTP/2.0';
/** The content type of a TLS record that holds a handshake (RFC 8446 5.1): how a ClientHello begins. */
const tlsHandshake = '\x16';

const listen = (
  { name, tls, grpc = [] }: Application,
  port: number,
  see: (seen: Seen) => void,
): Promise<void> => {
  const asked = new AskedByPath();
  const answer = (
    speaks: 'http1' | 'http2',
    request: IncomingMessage | Http2ServerRequest,
    response: Pick<ServerResponse | Http2ServerResponse, 'setHeader' | 'end' | 'statusCode'> & Writable,
  ): void => {
    const seen = {
      port,
      at: addressOf(request.socket),
      speaks,
      method: request.method ?? '',
      path: request.url ?? '',
      headers: flat(request.headers),
    };
    see(seen);
    request.resume();
    response.setHeader('x-answered-by', name);
    if (seen.path === '/stream') {
      const drip = setInterval(() => response.write('.'), 50);
      response.on('close', () => clearInterval(drip));
      return;
    }
    const { status, afterMs } = asked.of(seen.path);
    response.statusCode = status;
    if (afterMs === 0) {
      response.end(JSON.stringify(seen));
      return;
    }
    const late = setTimeout(() => response.end(JSON.stringify(seen)), afterMs);
    response.on('close', () => clearTimeout(late));
  };
  const http1 = createHttp1({ keepAliveTimeout: 0, requireHostHeader: false }, (request, response) =>
    answer('http1', request, response),
  );
  const http2 = createHttp2((request, response) => answer('http2', request, response));
  http2.on('sessionError', () => undefined);
  const rpcs = grpc.includes(port) ? grpcApplication(port, see) : undefined;
  const echo = (socket: Duplex, speaks: 'tcp' | 'tls', chunk: Buffer): void => {
    const at = socket instanceof Socket ? addressOf(socket) : '';
    see({ port, at, speaks, method: '', path: chunk.toString(), headers: {} });
    socket.write(`echo ${chunk}`);
  };
  const secured =
    tls === undefined
      ? undefined
      : createTls({ cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.3' }, (socket) => {
          socket.on('error', () => undefined);
          socket.on('data', (chunk: Buffer) => echo(socket, 'tls', chunk)).on('end', () => socket.end());
        });
  secured?.on('tlsClientError', () => undefined);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) return void socket.end();
      const text = first.toString('latin1');
      if (text.startsWith(http2Preface)) {
        socket.unshift(first);
        if (rpcs === undefined) http2.emit('connection', socket);
        else rpcs.injectConnection(socket);
      } else if (/^[A-Z]+ \S+ HTTP\/1/.test(text)) {
        socket.unshift(first);
        http1.emit('connection', socket);
      } else if (secured !== undefined && text.startsWith(tlsHandshake)) {
        socket.unshift(first);
        secured.emit('connection', socket);
      } else {
        socket.on('data', (chunk: Buffer) => echo(socket, 'tcp', chunk)).on('end', () => socket.end());
        echo(socket, 'tcp', first);
      }
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // `::` takes IPv4 as well.
  server.once('error', reject).listen(port, '::', resolve);
  return promise;
};

/** IPv4 as such, though the application listens on `::`. */
const addressOf = ({ localAddress = '' }: Pick<Socket, 'localAddress'>): string =>
  localAddress.replace(/^::ffff:/, '');

const flat = (headers: IncomingMessage['headers'] | Http2ServerRequest['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
