import { request as askPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as askTls } from 'node:https';
import { createInterface } from 'node:readline';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  startFakeApiServer,
} from '@gatehouse/dev/api-server/fake-api-server';
import { fieldsOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

/** Runs a story on a server of its own and ends it, however the story ended. */
export const withServer = async (
  options: FakeApiServerOptions,
  tell: (server: FakeApiServer) => Promise<void>,
): Promise<void> => {
  const server = await startFakeApiServer(options);
  try {
    await tell(server);
  } finally {
    await server.stop();
  }
};

export interface Heard {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: WireObject;
}

type WatchLine = { readonly type: string; readonly object: WireObject };

export interface HeardWatch extends AsyncDisposable {
  /** The next events as they came; fewer when the watch ends before. */
  lines(count: number): Promise<readonly WatchLine[]>;
  /** The next events as type, name and resourceVersion. */
  take(count: number): Promise<readonly (readonly [string, string, string])[]>;
}

export interface Client {
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Heard>;
  watch(path: string): Promise<HeardWatch>;
}

/** Where a server is, what certifies it and who the caller is. */
export interface ServerAddress {
  readonly url: string;
  /** PEM; undefined for plain HTTP. */
  readonly ca?: string | undefined;
  readonly token?: string;
}

/** The smallest client, which shows answers as they are. */
export const aClient = ({ url, ca, token }: ServerAddress): Client => {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const open = async (path: string, options: RequestOptions, body = ''): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const at = new URL(path, url);
    // Said in advance, because Node sends the body of a DELETE without any framing otherwise.
    const headers = { ...authorization, ...options.headers, 'content-length': Buffer.byteLength(body) };
    const request =
      at.protocol === 'https:'
        ? askTls(at, { agent: false, ...(ca === undefined ? {} : { ca }), ...options, headers }, resolve)
        : askPlain(at, { agent: false, ...options, headers }, resolve);
    request.once('error', reject);
    request.end(body);
    return promise;
  };
  return {
    request: async (method, path, body, more = {}) => {
      const sent = { 'content-type': 'application/json', ...more };
      const response = await open(
        path,
        { method, headers: sent },
        body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
      );
      const chunks: Uint8Array[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      return {
        code: response.statusCode ?? 0,
        headers: response.headers,
        body: text.startsWith('{') ? fieldsOf(JSON.parse(text)) : { text },
      };
    },
    watch: async (path) => {
      const response = await open(`${path}${path.includes('?') ? '&' : '?'}watch=true`, {});
      const read = createInterface({ input: response })[Symbol.asyncIterator]();
      const lines = async (count: number): Promise<readonly WatchLine[]> => {
        const heard: WatchLine[] = [];
        while (heard.length < count) {
          const { done, value } = await read.next();
          if (done === true) break;
          heard.push(JSON.parse(value));
        }
        return heard;
      };
      return {
        lines,
        take: async (count) =>
          (await lines(count)).map(({ type, object }) => {
            const { name = '', resourceVersion = '' } = metaOf(object);
            return [type, name, resourceVersion] as const;
          }),
        [Symbol.asyncDispose]: async () => {
          response.destroy();
        },
      };
    },
  };
};

export const continueOf = (list: WireObject): string => `${metaOf(list).continue}`;
