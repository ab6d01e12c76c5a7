import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import { within } from '../process/within.ts';
import { secureContextOptions, type TlsMaterial } from '../tls/material.ts';
import { nameFlaw } from '../tls/name-flaw.ts';

/** How one call of a peer ended. */
export type PeerReply =
  | { readonly kind: 'answered'; readonly body: unknown }
  | { readonly kind: 'timeout' | 'unreachable' | 'refused' | 'garbage'; readonly reason: string };

export interface PeerClientOptions {
  /** Our own mesh name, which is that of every replica of this service. */
  readonly name: string;
  /** For the whole of one call, connecting included. Default: 2 s. */
  readonly timeoutMs?: number;
  /** A thousand of the largest items are below 2 MiB. Default: 4 MiB. */
  readonly maxBytes?: number;
}

/** Calls that are made at once, to one peer and in all; others wait for their turn within their own time. */
const concurrency = { maxSockets: 4, maxTotalSockets: 32, maxFreeSockets: 4 };

/**
 * Asks other replicas over TLS 1.3, showing our own leaf and expecting one of the same name that leads to the anchors.
 * What is published last is used for every new connection; connections made with other material are never used again.
 */
export class PeerClient {
  readonly #options: PeerClientOptions;
  /** Keeps connections apart by key, certificate and anchors. */
  readonly #agent: Agent;
  #tls: RequestOptions | undefined;

  constructor(options: PeerClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      keepAlive: true,
      // A session that is resumed would outlive its anchors.
      maxCachedSessions: 0,
      ...concurrency,
      // Here and not with each request: connections that had a check of their own are never kept.
      checkServerIdentity: (_, { raw }) => {
        // Our leaves have an empty subject: the name is in the SAN alone.
        const flaw = nameFlaw(raw, options.name);
        return flaw === undefined ? undefined : new Error(`the certificate is for ${flaw}`);
      },
    });
  }

  replaceTlsMaterial(material: TlsMaterial): void {
    const { name } = this.#options;
    this.#tls = {
      ...secureContextOptions(material.trustAnchors, material),
      servername: name,
      rejectUnauthorized: true,
    };
  }

  /** Never rejects. `path` begins with a slash and has its query. */
  async get(address: HostPort, path: string): Promise<PeerReply> {
    if (this.#tls === undefined) {
      return { kind: 'unreachable', reason: 'this replica has no certificate yet to show to others' };
    }
    const { timeoutMs = 2_000, maxBytes = 4 * 1024 * 1024 } = this.#options;
    const late = new Error(`no answer from ${printHostPort(address)} within ${timeoutMs} ms`);
    const options: RequestOptions = {
      ...this.#tls,
      host: address.host,
      port: address.port,
      path,
      agent: this.#agent,
      headers: { accept: 'application/json' },
    };
    try {
      return await within({ ms: timeoutMs, late: () => late }, (signal) =>
        send({ ...options, signal }, maxBytes),
      );
    } catch (thrown) {
      if (thrown === late) return { kind: 'timeout', reason: late.message };
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { kind: 'unreachable', reason: `${printHostPort(address)}: ${why}` };
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

const send = async (options: RequestOptions, maxBytes: number): Promise<PeerReply> => {
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request(options, resolve);
    sent.on('error', reject);
    sent.end();
    try {
      return await readReply(await promise, maxBytes);
    } catch (error) {
      // A connection kept from an earlier call may have been closed just now, which says nothing about this call.
      if (!sent.reusedSocket || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }
};

const readReply = async (answer: IncomingMessage, maxBytes: number): Promise<PeerReply> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += (chunk as Buffer).length;
    // Leaving the loop ends the connection.
    if (size > maxBytes) return { kind: 'garbage', reason: `the answer is larger than ${maxBytes} bytes` };
    chunks.push(chunk as Buffer);
  }
  const body = readJson(Buffer.concat(chunks));
  if (answer.statusCode !== 200) {
    return { kind: 'refused', reason: `it answered ${answer.statusCode}${detailOf(body)}` };
  }
  return body === undefined
    ? { kind: 'garbage', reason: 'the answer is not JSON' }
    : { kind: 'answered', body };
};

const readJson = (text: Buffer): unknown => {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
};

/** Problem details (RFC 9457), shortened: it ends up in a table that people read. */
const detailOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string'
    ? `: ${body.detail.slice(0, 200)}`
    : '';
