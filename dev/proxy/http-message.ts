import type { Readable } from 'node:stream';

/** Fields in order of arrival, names lower-cased, repeated names apart, without pseudo-headers and hop-by-hop fields. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A request as a proxy passes it on: the same for HTTP/1 and HTTP/2. */
export interface HttpRequest {
  readonly version: 1 | 2;
  readonly method: string;
  /** Raw, as the client wrote it, with its query and without a fragment, a character for each byte: nothing here normalises a path. */
  readonly path: string;
  /** Host and port as the client wrote them. */
  readonly authority: string | undefined;
  readonly headers: HeaderList;
  /** Its trailers, if any, are not passed on. */
  readonly body: Readable | undefined;
  /** Aborts when the client is gone before its answer was complete. */
  readonly signal: AbortSignal;
}

/** An answer, from an upstream or of our own. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Readable | undefined;
  trailers(): HeaderList;
  /** Close the client's connection after this answer (HTTP/1 only). */
  readonly close?: boolean;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;

/** RFC 9110 §7.6.1 and RFC 9113 §8.2.2: fields that speak about one connection and must not be passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'trailer',
  // Our HTTP/1 server has already answered it with 100 Continue.
  'expect',
]);

/** Pairs of a flat name, value, name, value … list, as node:http and node:http2 give them. */
export const headersFromRaw = (raw: readonly string[]): HeaderList => {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    headers.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  }
  return headers;
};

/** What may be passed to the next hop: without pseudo-headers, hop-by-hop fields, and those that `connection` names. */
export const endToEnd = (headers: HeaderList): HeaderList => {
  const named = new Set(
    valuesOf(headers, 'connection').flatMap((value) =>
      value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    ),
  );
  return headers.filter(([name, value]) => {
    if (name === 'te') return value.trim().toLowerCase() === 'trailers';
    return !name.startsWith(':') && !hopByHop.has(name) && !named.has(name.trim());
  });
};

export const valuesOf = (headers: HeaderList, name: string): readonly string[] =>
  headers.filter(([candidate]) => candidate === name).map(([, value]) => value);

export const without = (headers: HeaderList, ...names: readonly string[]): HeaderList =>
  headers.filter(([name]) => !names.includes(name));

export const withHeader = (headers: HeaderList, name: string, value: string): HeaderList => [
  ...without(headers, name),
  [name, value],
];

/** Requests of gRPC get their refusals as gRPC statuses: contract/proxy.md §6.5. */
export const isGrpc = (headers: HeaderList): boolean =>
  valuesOf(headers, 'content-type').some((type) => type.toLowerCase().startsWith('application/grpc'));

/** An answer without a body. */
export const emptyAnswer = (status: number, headers: HeaderList = []): HttpAnswer => ({
  status,
  headers: [...headers, ['content-length', '0']],
  body: undefined,
  trailers: () => [],
});
