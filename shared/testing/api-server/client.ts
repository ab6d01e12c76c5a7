import { request as ask, type IncomingMessage, type RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';
import type { WireObject } from '../../src/kube/parse/fields.ts';
import { type FakeApiServer, type FakeApiServerOptions, startFakeApiServer } from './fake-api-server.ts';
import { fieldsOf, metaOf } from './object-meta.ts';

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

/** The smallest client, which shows answers as they are. */
export const aClient = (
  server: Pick<FakeApiServer, 'url'>,
  headers: Readonly<Record<string, string>> = {},
): Client => {
  const open = async (path: string, options: RequestOptions, body?: unknown): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = ask(new URL(path, server.url), { agent: false, ...options }, resolve);
    request.once('error', reject);
    request.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    return promise;
  };
  return {
    request: async (method, path, body, more = {}) => {
      const sent = { 'content-type': 'application/json', ...headers, ...more };
      const response = await open(path, { method, headers: sent }, body);
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
      const response = await open(`${path}${path.includes('?') ? '&' : '?'}watch=true`, { headers });
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
