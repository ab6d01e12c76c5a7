import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  emptyAnswer,
  endToEnd,
  type HttpAnswer,
  type HttpHandler,
  type HttpRequest,
  headersFromRaw,
  valuesOf,
} from './http-message.ts';
import { readTarget } from './request-target.ts';

/** Serves HTTP/1 on connections that were accepted elsewhere. */
export interface Http1Server {
  serve(socket: Duplex, handler: HttpHandler): void;
}

const largestHead = 16 * 1024;

/** An upstream connection must outlive its idle times, or "the same connection" would never be seen twice. */
const keepForEver = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 } as const;

export const http1Options = { maxHeaderSize: largestHead, ...keepForEver } as const;

const asRequest = (message: IncomingMessage, signal: AbortSignal): HttpRequest | undefined => {
  const headers = headersFromRaw(message.rawHeaders);
  const hosts = valuesOf(headers, 'host');
  const target = readTarget(message.url ?? '');
  // RFC 9112 §3.2: more than one Host is a request nobody must guess about.
  if (target === undefined || hosts.length > 1) return undefined;
  const hasBody = 'content-length' in message.headers || 'transfer-encoding' in message.headers;
  return {
    version: 1,
    method: message.method ?? 'GET',
    path: target.path,
    authority: target.authority ?? hosts[0],
    headers: endToEnd(headers),
    body: hasBody ? message : undefined,
    signal,
  };
};

const writeAnswer = async (response: ServerResponse, answer: HttpAnswer): Promise<void> => {
  response.sendDate = false;
  if (answer.close === true) response.shouldKeepAlive = false;
  response.writeHead(answer.status, answer.headers.flat());
  if (answer.body === undefined) {
    response.end();
    return;
  }
  await pipeline(answer.body, response, { end: false });
  const trailers = answer.trailers();
  if (trailers.length > 0) response.addTrailers(trailers as [string, string][]);
  response.end();
};

/** Answers one request of node:http by `handler`; a failure of either side ends this exchange and nothing else. */
export const answerHttp1 = async (
  message: IncomingMessage,
  response: ServerResponse,
  handler: HttpHandler,
): Promise<void> => {
  const gone = new AbortController();
  response.on('error', () => gone.abort()).on('close', () => gone.abort());
  message.on('error', () => gone.abort());
  try {
    const request = asRequest(message, gone.signal);
    await writeAnswer(response, request ? await handler(request) : { ...emptyAnswer(400), close: true });
  } catch {
    // The head may be out already: only breaking the connection tells the client that the answer is not complete.
    response.destroy();
  }
};

export const createHttp1Server = (): Http1Server => {
  const handlers = new WeakMap<object, HttpHandler>();
  const server: Server = createServer(http1Options, (message, response) => {
    const handler = handlers.get(message.socket);
    if (handler === undefined) response.destroy();
    else void answerHttp1(message, response, handler);
  });
  return {
    serve: (socket, handler) => {
      handlers.set(socket, handler);
      server.emit('connection', socket);
    },
  };
};
