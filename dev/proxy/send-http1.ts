import { type Agent, type IncomingMessage, request as open } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import {
  endToEnd,
  type HttpAnswer,
  type HttpRequest,
  headersFromRaw,
  valuesOf,
  withHeader,
} from './http-message.ts';

const noBody = (status: number, method: string): boolean =>
  method === 'HEAD' || status === 204 || status === 304;

const asAnswer = (message: IncomingMessage, method: string): HttpAnswer => {
  const status = message.statusCode ?? 502;
  if (noBody(status, method)) message.resume();
  return {
    status,
    headers: endToEnd(headersFromRaw(message.rawHeaders)),
    body: noBody(status, method) ? undefined : message,
    trailers: () => endToEnd(headersFromRaw(message.rawTrailers)),
  };
};

/**
 * The head for an HTTP/1 upstream. A body without a length is sent chunked, said explicitly: Node sends a body of GET
 * or DELETE without any framing otherwise, and the upstream would read it as a second request.
 */
const headFor = (request: HttpRequest): string[] => {
  const named =
    request.authority === undefined
      ? request.headers
      : withHeader(request.headers, 'host', request.authority);
  const framed = request.body === undefined || valuesOf(named, 'content-length').length > 0;
  return (framed ? named : withHeader(named, 'transfer-encoding', 'chunked')).flat();
};

/**
 * Sends a request over a connection of `agent`, which `onSocket` is told; rejects when no complete head of an answer came
 * back. Without a connection the request's body is still whole, so that the request can be sent elsewhere.
 */
export const sendHttp1 = (
  agent: Agent,
  request: HttpRequest,
  onSocket: (socket: Socket) => void = () => {},
): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const { method, path, signal } = request;
    const out = open({ agent, method, path, headers: headFor(request), setHost: false, signal });
    out.on('response', (message) => resolve(asAnswer(message, method)));
    out.on('error', reject);
    out.on('socket', (socket) => {
      onSocket(socket);
      // A client that breaks off breaks the upstream request off; the error itself reaches us by `out`.
      if (request.body !== undefined) pipeline(request.body, out, () => {});
    });
    if (request.body === undefined) out.end();
  });
