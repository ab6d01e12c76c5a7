import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { frameMessage } from '@gatehouse/platform/grpc/message-frames';
import { secureContextOptions } from '@gatehouse/platform/tls/material';

export interface LoadOptions {
  readonly port: number;
  readonly serverName: string;
  readonly trustAnchors: string;
  readonly connections: number;
  readonly streams: number;
  readonly path: string;
  /** The same for all, or by the number of the stream. */
  readonly request: Uint8Array | ((index: number) => Uint8Array);
}

/** Counts messages by their frames alone (a flag, four bytes of length, the message), so that the client stays cheap. */
class Frames {
  #head = Buffer.alloc(0);
  #left = 0;

  /** How many messages end in this chunk. */
  take(chunk: Buffer): number {
    let rest = chunk;
    let ended = 0;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const head = Buffer.concat([this.#head, rest.subarray(0, 5 - this.#head.length)]);
        rest = rest.subarray(5 - this.#head.length);
        this.#head = head.length < 5 ? head : Buffer.alloc(0);
        if (head.length < 5) break;
        this.#left = head.readUInt32BE(1);
        if (this.#left === 0) ended += 1;
      }
      const part = Math.min(this.#left, rest.length);
      if (part > 0 && part === this.#left) ended += 1;
      this.#left -= part;
      rest = rest.subarray(part);
    }
    return ended;
  }
}

/** Many gRPC streams as proxies would hold them: TLS 1.3 without ALPN, several streams on each connection. */
export class StreamLoad {
  readonly #options: LoadOptions;
  readonly #sessions: ClientHttp2Session[] = [];
  /** Streams by the number of messages they have had. */
  readonly #counts: number[] = [];
  /** Who waits until all have had so many, and how many streams have not. */
  #waiting: { readonly messages: number; left: number; readonly done: () => void } | undefined;
  /** Who waits for the next message of one stream. */
  readonly #next = new Map<number, () => void>();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Connects, without streams yet. */
  async connect(): Promise<void> {
    const { connections } = this.#options;
    for (let made = 0; made < connections; made += 50) {
      await Promise.all(Array.from({ length: Math.min(50, connections - made) }, () => this.#connect()));
    }
  }

  /** Opens every stream; resolves when each has had its first message. */
  async open(): Promise<void> {
    const { streams, path, request } = this.#options;
    const all = this.#all(1);
    for (let index = 0; index < streams; index += 1) {
      const frames = new Frames();
      const stream = this.#sessions[index % this.#sessions.length]?.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      this.#counts[index] = 0;
      stream?.on('data', (chunk: Buffer) => this.#count(index, frames.take(chunk)));
      stream?.on('error', () => {});
      stream?.write(frameMessage(typeof request === 'function' ? request(index) : request));
      stream?.end();
    }
    await all;
  }

  /** Resolves when every stream has had one more message than `messages`. */
  async next(messages: number): Promise<void> {
    await this.#all(messages + 1);
  }

  /** Resolves with the next message of one stream. */
  nextOf(index: number): Promise<void> {
    return new Promise((resolve) => this.#next.set(index, resolve));
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #count(index: number, messages: number): void {
    if (messages === 0) return;
    const before = this.#counts[index] ?? 0;
    this.#counts[index] = before + messages;
    this.#next.get(index)?.();
    this.#next.delete(index);
    const waiting = this.#waiting;
    if (waiting === undefined || before >= waiting.messages || before + messages < waiting.messages) return;
    waiting.left -= 1;
    if (waiting.left === 0) waiting.done();
  }

  #all(messages: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { streams } = this.#options;
    const left = streams - this.#counts.filter((count) => count >= messages).length;
    this.#waiting = { messages, left, done: resolve };
    if (left === 0) resolve();
    return promise;
  }

  async #connect(): Promise<void> {
    const { port, serverName, trustAnchors } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connectTls(
      {
        host: '127.0.0.1',
        port,
        servername: serverName,
        checkServerIdentity: () => undefined,
        ...secureContextOptions(trustAnchors, undefined),
      },
      resolve,
    );
    socket.once('error', reject);
    await promise;
    const session = connect('http://127.0.0.1', { createConnection: () => socket });
    session.on('error', () => {});
    // The proxy's windows: 64 KiB a stream, 1 MiB a connection (contract/proxy.md §1.1).
    session.once('connect', () => session.setLocalWindowSize(1024 * 1024));
    this.#sessions.push(session);
  }
}
