import { type ClientHttp2Session, constants } from 'node:http2';
import { pipeline } from 'node:stream';
import {
  endToEnd,
  type HeaderList,
  type HttpAnswer,
  type HttpRequest,
  headersFromRaw,
  without,
} from './http-message.ts';
import { asHttp2Headers } from './serve-http2.ts';

const { NGHTTP2_FLAG_END_STREAM } = constants;

/** Sends a request as a stream of `session`; rejects when no head of an answer came back. */
export const sendHttp2 = (session: ClientHttp2Session, request: HttpRequest): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const stream = session.request(
      {
        ...asHttp2Headers(without(request.headers, 'host')),
        ':method': request.method,
        ':path': request.path,
        // Always `http`, also over TLS, as the proxy has it (contract/proxy.md §1.1).
        ':scheme': 'http',
        ...(request.authority === undefined ? {} : { ':authority': request.authority }),
      },
      { endStream: request.body === undefined, signal: request.signal },
    );
    let trailers: HeaderList = [];
    stream.on('trailers', (_headers, _flags, raw: string[]) => {
      trailers = endToEnd(headersFromRaw(raw));
    });
    stream.on('response', (headers, flags, raw) => {
      resolve({
        status: Number(headers[':status']),
        headers: endToEnd(headersFromRaw(raw as unknown as string[])),
        body: (flags & NGHTTP2_FLAG_END_STREAM) === 0 ? stream : undefined,
        trailers: () => trailers,
      } satisfies HttpAnswer);
      if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) stream.resume();
    });
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('the stream closed without an answer')));
    if (request.body !== undefined) pipeline(request.body, stream, () => {});
  });
