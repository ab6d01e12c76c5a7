import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import { GatehouseError } from '@gatehouse/core/error';
import type { ServiceName } from '@gatehouse/platform/service/service';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { refusalOf } from './refusal.ts';

/** The REST API of one service, wherever it runs. */
export interface AdminApi {
  /** Where it is, for people: `http://127.0.0.1:9990`, `pod gatehouse/gatehouse-identity-0`. */
  readonly place: string;
  /** The answer as text. Throws what the service says, and what to do about it. */
  text(path: string, query?: Query): Promise<string>;
  /** The answer of the form that this command reads; more fields than it knows are kept. */
  json<T extends TSchema>(schema: T, path: string, query?: Query): Promise<Static<T>>;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** What each way of reaching a service differs in. */
export interface Reached {
  readonly service: ServiceName;
  readonly place: string;
  readonly token: string;
  /** What to do when the token is not accepted; a sentence without its dot. */
  readonly ifUnknown: string;
  readonly transport: Transport;
  /** What to do when nobody answers. */
  readonly ifAway: string;
  readonly signal: AbortSignal;
}

export type Transport =
  | { readonly kind: 'url'; readonly url: URL; readonly tls?: ServerTls }
  /** A connection of its own for each request. */
  | { readonly kind: 'stream'; readonly open: () => Promise<Duplex> };

/** How a mesh's own certificate is checked, whose name is not a host's. */
export interface ServerTls {
  readonly ca: string;
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/** The service's own bound on a handler is 10 s; what takes longer is not coming. */
const answerWithinMs = 15_000;

export const adminApi = (reached: Reached): AdminApi => {
  const { service, place } = reached;
  const text = async (path: string, query: Query = {}): Promise<string> => {
    const signal = AbortSignal.any([reached.signal, AbortSignal.timeout(answerWithinMs)]);
    const { status, body } = await ask(reached, `${path}${printQuery(query)}`, signal);
    if (status === 200) return body;
    throw refusalOf({ status, body, service, path, ifUnknown: reached.ifUnknown });
  };
  return {
    place,
    text,
    json: async (schema, path, query) => {
      const body = await text(path, query);
      const value = readJson(body);
      if (Compile(schema).Check(value)) return value;
      throw new GatehouseError(
        'failed-precondition',
        `${place} answers ${path} in a form that this command does not read: is it of another version?`,
      );
    },
  };
};

interface Answer {
  readonly status: number;
  readonly body: string;
}

const ask = async (reached: Reached, path: string, signal: AbortSignal): Promise<Answer> => {
  const headers = { authorization: `Bearer ${reached.token}`, accept: 'application/json', host: 'gatehouse' };
  try {
    const sent = await send(reached.transport, { path, headers, signal });
    const response = await answerTo(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
  } catch (cause) {
    reached.signal.throwIfAborted();
    if (cause instanceof GatehouseError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GatehouseError(
      'unavailable',
      `no ${reached.service} service answers at ${reached.place} (${why}): ${reached.ifAway}`,
      { cause },
    );
  }
};

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const send = async (transport: Transport, { path, headers, signal }: Sent): Promise<ClientRequest> => {
  switch (transport.kind) {
    case 'url': {
      const url = new URL(path, transport.url);
      const options = { headers: { ...headers, host: url.host }, signal, agent: false as const };
      return url.protocol === 'https:'
        ? tlsRequest(url, { ...options, ...transport.tls })
        : plainRequest(url, options);
    }
    case 'stream': {
      const stream = await transport.open();
      return plainRequest({ path, headers: { ...headers }, signal, createConnection: () => stream });
    }
  }
};

const answerTo = (sent: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
    sent.end();
  });

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const printQuery = (query: Query): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
};
