import { Agent, type AgentOptions } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { printHostPort } from '@gatehouse/core/host-port';
import { connectionId } from './connection-id.ts';
import { type DialOptions, dial } from './dial.ts';
import type { Endpoint } from './endpoints.ts';
import { type HttpAnswer, type HttpRequest, withHeader } from './http-message.ts';
import { originalProtocol } from './inbound-http.ts';
import { sendHttp1 } from './send-http1.ts';
import { sendHttp2 } from './send-http2.ts';

/** What the kept connections to one endpoint can do. */
export interface Upstream {
  readonly endpoint: Endpoint;
  /** Requests and raw connections that are under way: what the balancer weighs. */
  readonly pending: number;
  /** Rejects with a DialError when nothing was sent, with another error when the answer broke off. */
  send(request: HttpRequest): Promise<HttpAnswer & { readonly connection: string }>;
  connect(): Promise<{ readonly socket: Socket; readonly connection: string }>;
  /** Lets what is under way finish, and takes nothing new. */
  retire(): void;
  close(): void;
}

/** An agent of node:http whose connections are dialled by us. */
class DialAgent extends Agent {
  readonly #dial: () => Promise<Socket>;

  constructor(open: () => Promise<Socket>) {
    super({ keepAlive: true });
    this.#dial = open;
  }

  override createConnection(
    _options: AgentOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.#dial().then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
  }
}

/** One HTTP/2 connection that is opened by the first request and again by the first after its loss. */
class Http2Connection {
  readonly #open: () => Promise<Socket>;
  readonly #authority: string;
  #current: Promise<{ readonly session: ClientHttp2Session; readonly connection: string }> | undefined;

  constructor(open: () => Promise<Socket>, authority: string) {
    this.#open = open;
    this.#authority = authority;
  }

  async get(): Promise<{ readonly session: ClientHttp2Session; readonly connection: string }> {
    this.#current ??= this.#connect();
    const current = this.#current;
    const forget = (): void => {
      if (this.#current === current) this.#current = undefined;
    };
    try {
      const { session } = await current;
      if (!session.closed && !session.destroyed) return await current;
    } catch (error) {
      forget();
      throw error;
    }
    forget();
    return await this.get();
  }

  async #connect() {
    const socket = await this.#open();
    const connection = connectionId(socket, 'client');
    const session = connectHttp2(`http://${this.#authority}`, { createConnection: () => socket });
    // Each stream reports the loss by itself.
    session.on('error', () => {}).on('goaway', () => session.close());
    return { session, connection };
  }

  end(how: 'close' | 'destroy'): void {
    this.#current?.then(
      ({ session }) => session[how](),
      () => {},
    );
  }
}

/** Keeps connections to one endpoint. HTTP/1 requests travel as HTTP/2 where the endpoint says that it can. */
export const createUpstream = (endpoint: Endpoint, options: DialOptions): Upstream => {
  const openHttp = async (): Promise<Socket> => {
    const socket = await dial(endpoint, options);
    // Raw connections may be half open; a kept HTTP connection that was would take one more request, and lose it.
    socket.allowHalfOpen = false;
    return socket;
  };
  const http1 = new DialAgent(openHttp);
  const http2 = new Http2Connection(openHttp, printHostPort(endpoint.address));
  let pending = 0;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    pending += 1;
    try {
      return await work();
    } finally {
      pending -= 1;
    }
  };
  const overHttp2 = async (request: HttpRequest) => {
    const { session, connection } = await http2.get();
    const headers =
      request.version === 1 ? withHeader(request.headers, originalProtocol, 'HTTP/1.1') : request.headers;
    return { ...(await sendHttp2(session, { ...request, headers })), connection };
  };
  const overHttp1 = async (request: HttpRequest) => {
    let connection = '?';
    const answer = await sendHttp1(http1, request, (socket) => {
      connection = connectionId(socket, 'client');
    });
    return { ...answer, connection };
  };
  return {
    endpoint,
    get pending() {
      return pending;
    },
    send: (request) =>
      counted(() => (request.version === 2 || endpoint.http2 ? overHttp2(request) : overHttp1(request))),
    connect: async () => {
      const socket = await dial(endpoint, options);
      pending += 1;
      socket.once('close', () => {
        pending -= 1;
      });
      return { socket, connection: connectionId(socket, 'client') };
    },
    retire: () => {
      http2.end('close');
      // What is under way comes back to the agent when it is done, and is then closed too.
      http1.maxFreeSockets = 0;
      for (const sockets of Object.values(http1.freeSockets))
        for (const free of sockets ?? []) free.destroy();
    },
    close: () => {
      http2.end('destroy');
      http1.destroy();
    },
  };
};
