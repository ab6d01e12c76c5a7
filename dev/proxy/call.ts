import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { HostPort } from '@gatehouse/core/host-port';
import { printHostPort } from '@gatehouse/core/host-port';
import { connectionHeader, connectionId } from './connection-id.ts';

export interface CallOptions {
  readonly method?: string;
  /** `http://host:port/path`, sent as written: a path with `..` in it arrives with `..` in it. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CallResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The TCP connections that carried the call, named as in connection-id.ts; `upstream` as the forward proxy tells it. */
  readonly connections: { readonly client: string; readonly upstream: string | undefined };
  readonly ms: number;
}

/** A client that makes its calls, one after another, over one connection to a pod's forward proxy. */
export interface Caller {
  /** Rejects when no answer came within `timeoutMs`. */
  call(options: CallOptions): Promise<CallResult>;
  close(): void;
}

const defaultTimeoutMs = 10_000;

const readBody = async (message: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** Waits for the whole answer of a request that is open already. */
const finish = async (out: ClientRequest, started: number): Promise<CallResult> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let client = '?';
  out.on('socket', (socket: Socket) => {
    const note = (): void => {
      client = connectionId(socket, 'client');
    };
    if (socket.connecting) socket.once('connect', note);
    else note();
  });
  out.on('response', resolve).on('error', reject);
  out.end();
  const message = await promise;
  const upstream = message.headers[connectionHeader];
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: await readBody(message),
    connections: { client, upstream: typeof upstream === 'string' ? upstream : undefined },
    ms: performance.now() - started,
  };
};

/** The authority and the path of a URL, neither normalised. */
const split = (url: string): { readonly authority: string; readonly path: string } => {
  const match = /^http:\/\/([^/?#]+)(.*)$/s.exec(url);
  return { authority: match?.[1] ?? '', path: match?.[2] || '/' };
};

export const openCaller = (proxy: HostPort, timeoutMs = defaultTimeoutMs): Caller => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 0 });
  return {
    call: async ({ method = 'GET', url, headers = {} }) => {
      const started = performance.now();
      const out = request({
        agent,
        ...proxy,
        method,
        path: url,
        headers: { host: split(url).authority, ...headers },
        setHost: false,
        signal: AbortSignal.timeout(timeoutMs),
      });
      return await finish(out, started);
    },
    close: () => agent.destroy(),
  };
};

export interface DirectCall extends CallOptions {
  /** The pod's own address and port: its proxy listens there. */
  readonly to: HostPort;
  /** The address to call from. */
  readonly from: string;
  /** Undefined = plaintext. `name` is the SNI; the server's certificate is not looked at, for this client is the intruder. */
  readonly tls?: { readonly name: string; readonly certificate?: string; readonly key?: string };
  readonly timeoutMs?: number;
}

export type DirectOutcome =
  | ({ readonly kind: 'answered' } & CallResult)
  /** The connection was closed on us before an answer: what a refused handshake or a denied TCP connection looks like. */
  | { readonly kind: 'closed'; readonly connection: string; readonly reason: string };

const openDirect = ({ to, from, tls }: DirectCall): { readonly raw: Socket; readonly stream: Duplex } => {
  const raw = connect({ host: to.host, port: to.port, localAddress: from });
  if (tls === undefined) return { raw, stream: raw };
  const { name, certificate, key } = tls;
  const credentials = certificate !== undefined && key !== undefined ? { cert: certificate, key } : {};
  const options = {
    socket: raw,
    servername: name,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  } as const;
  return { raw, stream: connectTls({ ...options, ...credentials }) };
};

/** Makes one call to a pod's address without any proxy of the caller's own, as a client outside the mesh can. */
export const callDirect = async (options: DirectCall): Promise<DirectOutcome> => {
  const { method = 'GET', url, headers = {}, timeoutMs = defaultTimeoutMs } = options;
  const started = performance.now();
  const { raw, stream } = openDirect(options);
  const { authority, path } = split(url);
  let connection = `${options.from}->${printHostPort(options.to)}`;
  raw.once('connect', () => {
    connection = connectionId(raw, 'client');
  });
  try {
    const out = request({
      createConnection: () => stream,
      method,
      path,
      headers: { host: authority, connection: 'close', ...headers },
      setHost: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const result = await finish(out, started);
    return { kind: 'answered', ...result, connections: { ...result.connections, client: connection } };
  } catch (error) {
    return { kind: 'closed', connection, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    stream.destroy();
    raw.destroy();
  }
};
