import { Agent, request as http1Request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Outcome } from './messages.ts';
import { openStream } from './open-stream.ts';

interface Kept {
  opened: number;
  stream: Duplex | undefined;
  /** What speaks HTTP over the stream; it lives as long. */
  session: ClientHttp2Session | undefined;
  agent: Agent | undefined;
}

/** Makes calls, over connections of their own or over kept ones. */
export class Caller {
  readonly #kept = new Map<string, Kept>();
  readonly #streams = new Map<string, { status: number; chunks: number; ended: boolean }>();

  async call(call: Call): Promise<Outcome> {
    const { connection, timeoutMs = 10_000 } = call;
    const kept = (connection === undefined ? undefined : this.#kept.get(connection)) ?? {
      opened: 0,
      stream: undefined,
      session: undefined,
      agent: undefined,
    };
    if (connection !== undefined) this.#kept.set(connection, kept);
    const late = new AbortController();
    const silence = sleep(timeoutMs, { kind: 'silent', afterMs: timeoutMs } as const, {
      signal: late.signal,
    });
    try {
      return await Promise.race([silence, converse(call, kept)]);
    } catch (error) {
      return { kind: 'closed', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      late.abort();
      silence.catch(() => undefined);
      if (connection === undefined) hangUp(kept);
    }
  }

  /** Opens a stream over the kept HTTP/2 connection of `call`, which must have been used before. */
  openStream(name: string, call: Call): void {
    const session = this.#kept.get(call.connection ?? '')?.session;
    if (session === undefined) throw new Error('there is no HTTP/2 connection to open a stream on');
    const open = { status: 0, chunks: 0, ended: false };
    session
      .request({ ':method': 'GET', ':path': call.path ?? '/', ':authority': authorityOf(call) ?? '' })
      .on('response', (headers) => {
        open.status = Number(headers[':status']);
      })
      .on('data', () => {
        open.chunks += 1;
      })
      .on('error', () => undefined)
      .on('close', () => {
        open.ended = true;
      });
    this.#streams.set(name, open);
  }

  stream(name: string): { readonly status: number; readonly chunks: number; readonly ended: boolean } {
    const open = this.#streams.get(name);
    if (open === undefined) throw new Error(`no stream ${name} was opened`);
    return open;
  }

  state(connection: string): 'open' | 'closed' {
    const { stream } = this.#kept.get(connection) ?? {};
    return stream === undefined || stream.destroyed || stream.readableEnded ? 'closed' : 'open';
  }

  hangUp(connection: string): void {
    const kept = this.#kept.get(connection);
    if (kept !== undefined) hangUp(kept);
    this.#kept.delete(connection);
  }
}

const hangUp = ({ session, stream }: Kept): void => {
  session?.destroy();
  stream?.destroy();
};

const converse = async (call: Call, kept: Kept): Promise<Outcome> => {
  if (kept.stream === undefined || kept.stream.destroyed || kept.stream.readableEnded) {
    kept.session?.destroy();
    kept.session = undefined;
    kept.agent = undefined;
    kept.stream = await openStream(call);
    kept.stream.on('error', () => undefined);
    kept.opened += 1;
  }
  switch (call.speaks) {
    case 'tcp':
      return sayTcp(call, kept.stream, kept.opened);
    case 'http1':
      kept.agent ??= agentOf(kept.stream);
      return sayHttp1(call, kept.agent, kept.opened);
    case 'http2':
      kept.session ??= openSession(kept.stream);
      return sayHttp2(call, kept.session, kept.opened);
  }
};

const sayTcp = ({ text = 'hello\n' }: Call, stream: Duplex, opened: number): Promise<Outcome> =>
  new Promise((resolve) => {
    const finish = (outcome: Outcome): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => finish({ kind: 'echoed', text: chunk.toString(), opened });
    const onEnd = (): void => finish({ kind: 'closed', reason: 'end' });
    const onError = (error: Error): void => finish({ kind: 'closed', reason: error.message });
    stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    stream.write(text);
  });

const authorityOf = ({ host, port, authority }: Call): string | null =>
  authority === undefined ? `${host.includes(':') ? `[${host}]` : host}:${port}` : authority;

/** Sends one request after another over a stream that is open already, as an HTTP/1 client with keep-alive does. */
const agentOf = (stream: Duplex): Agent => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => stream;
  return agent;
};

const sayHttp1 = (call: Call, agent: Agent, opened: number): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const authority = authorityOf(call);
    const headers: string[] = [];
    if (authority !== null) headers.push('host', authority);
    for (const [name, value] of call.headers ?? []) headers.push(name, value);
    const out = http1Request({
      agent,
      method: call.method ?? 'GET',
      path: call.path ?? '/',
      headers,
      setHost: false,
    });
    out.on('error', reject).on('response', (message) => {
      const chunks: Buffer[] = [];
      message
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('error', reject)
        .on('end', () =>
          resolve({
            kind: 'answered',
            status: message.statusCode ?? 0,
            headers: flat(message.headers),
            body: Buffer.concat(chunks).toString(),
            opened,
          }),
        );
    });
    out.end();
  });

const openSession = (stream: Duplex): ClientHttp2Session => {
  const session = connectHttp2('http://hand', { createConnection: () => stream });
  session.on('error', () => undefined);
  return session;
};

const sayHttp2 = (call: Call, session: ClientHttp2Session, opened: number): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const authority = authorityOf(call);
    const headers: Record<string, string | string[]> = {
      ':method': call.method ?? 'GET',
      ':path': call.path ?? '/',
    };
    if (authority !== null) headers[':authority'] = authority;
    for (const [name, value] of call.headers ?? []) {
      const lower = name.toLowerCase();
      const before = headers[lower];
      headers[lower] = before === undefined ? value : [before, value].flat();
    }
    const stream = session.request(headers, { endStream: true });
    const chunks: Buffer[] = [];
    let status = 0;
    let answered: Record<string, string> = {};
    stream
      .on('response', (response) => {
        status = Number(response[':status']);
        answered = flat(response);
      })
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('error', reject)
      .on('close', () => {
        if (status === 0) return reject(new Error(`stream ended with code ${stream.rstCode}`));
        resolve({
          kind: 'answered',
          status,
          headers: answered,
          body: Buffer.concat(chunks).toString(),
          opened,
        });
      });
  });

const flat = (headers: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
