import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from 'node:http';
import { type RequestOptions, Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { GatehouseError } from '@gatehouse/core/error';
import { completeLines } from './complete-lines.ts';

/** One call of the Kubernetes API, in our words. */
export interface KubeRequest {
  /** GET when left out. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the API server's root: `/api/v1/pods`. */
  readonly path: string;
  /** Parameters that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` when left out; patches name their own. */
  readonly contentType?: string;
  /** `application/json` when left out. What is not of Kubernetes may have another type, and be refused without it (406). */
  readonly accept?: string;
  /** Whether it may be sent twice, as a GET may: reviews are asked by POST and change nothing. */
  readonly changesNothing?: boolean;
  /** Takes the body of a 200 piece by piece as it comes, in place of the response, whose body is empty then. What it throws comes back. */
  readonly take?: (piece: Buffer) => void;
  readonly signal: AbortSignal;
}

export interface KubeResponse {
  readonly status: number;
  /** How long the server asks us to stay away; milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly body: Buffer;
}

/** An answer that goes on: a watch. */
export interface KubeStream {
  readonly status: 200;
  /**
   * The complete lines, without their line feeds, as many at once as came in at once. Throws `unavailable` when the
   * stream is cut, in the middle of a line too; anyone who leaves the loop early closes the connection.
   */
  readonly lines: AsyncIterable<readonly Buffer[]>;
}

/** The API server. Every call throws `unavailable` when it cannot be reached, and the signal's reason after an abort. */
export interface KubeClient {
  /** Where it is, for messages. */
  readonly server: string;
  /** Any status is an answer. */
  request(request: KubeRequest): Promise<KubeResponse>;
  /** Asks for an answer that goes on; any status but 200 comes whole. */
  stream(request: KubeRequest): Promise<KubeStream | KubeResponse>;
  /**
   * Opens a stream of bytes to a port inside a pod, as `kubectl port-forward` does. Throws what the API server answers:
   * `permission-denied`, `not-found` … The stream is the caller's to end.
   */
  portForward(to: PodPort): Promise<Duplex>;
  /** Closes connections that are kept for later calls. */
  close(): void;
}

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  /** Gives up while it is being opened; what is open stays. */
  readonly signal: AbortSignal;
}

/** Where the API server is, and what proves us to it. */
export interface KubeAccess {
  /** May have a path that every request's path is added to. */
  readonly server: URL;
  /** Adds what authenticates us to one request: headers, certificates, an agent. Asked again each time, since tokens rotate. */
  authorize(options: RequestOptions): Promise<void>;
}

/** API servers end any call but a watch within a minute (`--request-timeout`), and send the headers of a watch at once. */
const answerWithinMs = 70_000;

export class HttpKubeClient implements KubeClient {
  readonly server: string;
  readonly #access: KubeAccess;
  readonly #agent: TlsAgent | PlainAgent;

  constructor(access: KubeAccess) {
    this.#access = access;
    this.server = access.server.origin;
    this.#agent = new (isTls(access) ? TlsAgent : PlainAgent)({ keepAlive: true });
  }

  async request(request: KubeRequest): Promise<KubeResponse> {
    const { take, method = 'GET', changesNothing = method === 'GET' } = request;
    for (;;) {
      const sent = await this.#send(request);
      let isBegun = false;
      let broken: { readonly error: unknown } | undefined;
      try {
        const answer = await sent.answer;
        if (take === undefined || answer.statusCode !== 200) return await readWhole(answer);
        for await (const piece of answer) {
          isBegun = true;
          try {
            take(piece as Buffer);
          } catch (error) {
            broken = { error };
            throw error;
          }
        }
        return responseOf(answer, Buffer.alloc(0));
      } catch (error) {
        if (broken !== undefined) throw broken.error;
        if (request.signal.aborted) throw request.signal.reason;
        // A connection kept from an earlier call may have been closed by the server just now: that says nothing about
        // this call, and one that changes nothing may be repeated, unless part of its answer was handed on.
        const stale = sent.request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        if (!stale || !changesNothing || isBegun) throw unreachable(this.server, error);
      }
    }
  }

  async stream(request: KubeRequest): Promise<KubeStream | KubeResponse> {
    const sent = await this.#send(request);
    let answer: IncomingMessage;
    try {
      answer = await sent.answer;
      if (answer.statusCode !== 200) return await readWhole(answer);
    } catch (error) {
      // Never repeated: what its caller has found out about the server may not hold for the server that answers next.
      throw request.signal.aborted ? request.signal.reason : unreachable(this.server, error);
    }
    // From here on the reader decides what is too long: a watch is silent for most of its life.
    answer.setTimeout(0);
    return { status: 200, lines: withReadableErrors(completeLines(answer), request.signal, this.server) };
  }

  async portForward({ namespace, pod, port, signal }: PodPort): Promise<Duplex> {
    const { server } = this.#access;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
    const url = new URL(`${basePath(server)}${path}?ports=${port}`, server);
    url.protocol = isTls(this.#access) ? 'wss:' : 'ws:';
    const options: RequestOptions = { headers: { 'user-agent': 'gatehouse' } };
    await this.#authorize(options);
    // Only who forwards pays for a WebSocket library: the services do not.
    const { openPortForward } = await import('./port-forward.ts');
    return openPortForward({ url, target: `${namespace}/${pod}:${port}`, options, signal });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(request: KubeRequest) {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const options = await this.#optionsOf(request, body);
    const sent = (isTls(this.#access) ? tlsRequest : plainRequest)(options);
    return { request: sent, answer: answerTo(sent, body) };
  }

  async #optionsOf(
    { method = 'GET', path, query, contentType, accept = 'application/json', signal }: KubeRequest,
    body: string | undefined,
  ) {
    const { server } = this.#access;
    const options: RequestOptions & { headers: Record<string, string | number> } = {
      method,
      hostname: server.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: server.port,
      path: `${basePath(server)}${path}${printQuery(query)}`,
      headers: { accept, 'user-agent': 'gatehouse' },
      agent: this.#agent,
      timeout: answerWithinMs,
      signal,
    };
    if (body !== undefined) {
      options.headers['content-type'] = contentType ?? 'application/json';
      options.headers['content-length'] = Buffer.byteLength(body);
    }
    await this.#authorize(options);
    return options;
  }

  async #authorize(options: RequestOptions): Promise<void> {
    try {
      await this.#access.authorize(options);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.trim() : String(cause);
      throw new GatehouseError('unavailable', `the credentials for ${this.server} cannot be had: ${why}`, {
        cause,
      });
    }
  }
}

const basePath = (server: URL): string => server.pathname.replace(/\/$/, '');

const isTls = ({ server }: KubeAccess): boolean => server.protocol === 'https:';

const answerTo = (sent: ClientRequest, body: string | undefined): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerWithinMs / 1000} s`)));
    sent.end(body);
  });

const readWhole = async (answer: IncomingMessage): Promise<KubeResponse> => {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return responseOf(answer, Buffer.concat(chunks));
};

const responseOf = ({ statusCode = 0, headers }: IncomingMessage, body: Buffer): KubeResponse => ({
  status: statusCode,
  retryAfterMs: readRetryAfter(headers['retry-after']),
  body,
});

async function* withReadableErrors(
  lines: AsyncIterable<readonly Buffer[]>,
  signal: AbortSignal,
  server: string,
): AsyncIterable<readonly Buffer[]> {
  try {
    yield* lines;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(server, error);
  }
}

/** API servers write whole seconds (RFC 9110 §10.2.3); a date is what proxies in between might write, and is left alone. */
const readRetryAfter = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;

const printQuery = (query: KubeRequest['query'] = {}): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
};

const unreachable = (server: string, cause: unknown): GatehouseError =>
  cause instanceof GatehouseError
    ? cause
    : new GatehouseError(
        'unavailable',
        `the API server ${server} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
