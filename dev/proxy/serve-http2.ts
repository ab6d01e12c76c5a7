import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  endToEnd,
  type HeaderList,
  type HttpAnswer,
  type HttpHandler,
  headersFromRaw,
  valuesOf,
} from './http-message.ts';
import { readPath } from './request-target.ts';

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } =
  constants;

/** HTTP/2 fields as node:http2 takes them: repeated names as arrays. */
export const asHttp2Headers = (headers: HeaderList): Record<string, string | string[]> => {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers) {
    const known = fields[name];
    fields[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return fields;
};

const writeAnswer = async (stream: ServerHttp2Stream, answer: HttpAnswer): Promise<void> => {
  const fields = { ':status': answer.status, ...asHttp2Headers(endToEnd(answer.headers)) };
  if (answer.body === undefined) {
    stream.respond(fields, { endStream: true });
    return;
  }
  stream.respond(fields, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    const trailers = answer.trailers();
    if (trailers.length > 0) stream.sendTrailers(asHttp2Headers(trailers));
    else stream.close(NGHTTP2_NO_ERROR);
  });
  await pipeline(answer.body, stream);
};

const answerStream = async (
  stream: ServerHttp2Stream,
  opening: { readonly raw: readonly string[]; readonly flags: number },
  handler: HttpHandler,
): Promise<void> => {
  const gone = new AbortController();
  stream.on('error', () => gone.abort()).on('close', () => gone.abort());
  const fields = headersFromRaw(opening.raw);
  const pseudo = (name: string): string | undefined => valuesOf(fields, name)[0];
  // nghttp2 lets nothing through that does not begin with `/`, but `*` and the absent path of CONNECT.
  const path = readPath(pseudo(':path') ?? '*');
  if (path === undefined) {
    stream.close(NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  try {
    const answer = await handler({
      version: 2,
      method: pseudo(':method') ?? 'GET',
      path,
      authority: pseudo(':authority') ?? pseudo('host'),
      headers: endToEnd(fields),
      body: (opening.flags & NGHTTP2_FLAG_END_STREAM) === 0 ? stream : undefined,
      signal: gone.signal,
    });
    if (!stream.destroyed) await writeAnswer(stream, answer);
    // An answer can be complete before the request is (a denial): whatever is still coming is of no use.
    stream.resume();
  } catch {
    stream.close(NGHTTP2_INTERNAL_ERROR);
  }
};

/** Serves HTTP/2 with prior knowledge, over TLS or not, on a connection that was accepted elsewhere. */
export const serveHttp2 = (socket: Duplex, handler: HttpHandler): ServerHttp2Session => {
  // An HTTP/2 session does not look for the end of its socket: half open, it would outlive its client.
  socket.allowHalfOpen = false;
  const session = performServerHandshake(socket, {
    settings: { maxHeaderListSize: 16 * 1024, maxConcurrentStreams: 1_000 },
  });
  // What goes wrong on a session ends its streams, which each tell their handler.
  session.on('error', () => socket.destroy());
  session.on('stream', (stream, _headers, flags, raw) => {
    void answerStream(stream, { raw: raw as unknown as string[], flags }, handler);
  });
  return session;
};
