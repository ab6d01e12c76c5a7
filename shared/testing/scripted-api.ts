import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that the script has not answered yet. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Answers whole. */
  json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void;
  /** Begins an answer that goes on. */
  open(): OpenAnswer;
}

export interface OpenAnswer {
  /** Sends bytes as one chunk. */
  write(bytes: string | Uint8Array): void;
  /** An object a line. */
  lines(...events: readonly unknown[]): void;
  /** The orderly end of an answer. */
  end(): void;
  /** Breaks the connection. */
  cut(): void;
  /** Resolves once the client has left. */
  readonly left: Promise<unknown>;
}

/**
 * An API server that does exactly what the test says, one request after another, for faults that no well-made server
 * has: answers cut anywhere, nonsense, silence.
 */
export class ScriptedApi implements AsyncDisposable {
  readonly #server: Server;
  readonly #arrived: Asked[] = [];
  readonly #waiting: ((asked: Asked) => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(): Promise<ScriptedApi> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedApi(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next request, as soon as it comes. */
  next(): Promise<Asked> {
    const asked = this.#arrived.shift();
    return asked === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    try {
      for await (const chunk of request) body += chunk;
    } catch {
      // The client left in the middle of its own request.
      return;
    }
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://api');
    const asked: Asked = {
      method: request.method ?? '',
      path,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
      body,
      json: (status, value, headers = {}) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(JSON.stringify(value));
      },
      open: () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.flushHeaders();
        return {
          write: (bytes) => void response.write(bytes),
          lines: (...events) =>
            void response.write(events.map((event) => `${JSON.stringify(event)}\n`).join('')),
          end: () => void response.end(),
          cut: () => void response.destroy(),
          left: once(response, 'close'),
        };
      },
    };
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#arrived.push(asked);
    else waiting(asked);
  }
}
