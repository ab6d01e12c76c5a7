import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';

/** What it serves: a stream with a row of 1.5 kB, as policy's are, and a call that is answered when the client gives up. */
export const paths = { watch: '/test.Test/Watch', hang: '/test.Test/Hang', echo: '/test.Test/Echo' } as const;

type Said = { readonly port: number } | { readonly streams: number; readonly metrics: string };

export interface SmallServer {
  readonly port: number;
  /** Rejects when it has ended. */
  ask(): Promise<{ readonly streams: number; readonly metrics: string }>;
}

/** A test's context, or whatever else ends what it started. */
export interface Cleanup {
  after(end: () => unknown): void;
}

/** A server in a process of its own with a heap of 256 MiB, which ends as a process does that has no more. */
export const aSmallServer = async (t: Cleanup): Promise<SmallServer> => {
  const child = fork(import.meta.filename, [], { execArgv: ['--max-old-space-size=256'], silent: true });
  let end: string | undefined;
  child.once('exit', (code, signal) => {
    end = `exit ${code ?? signal}`;
  });
  t.after(() => child.kill('SIGKILL'));
  const said = async (): Promise<Said> => {
    const over = new AbortController();
    const exit = once(child, 'exit', { signal: over.signal }).then(() => {
      throw new Error(`the server has ended: ${end}`);
    });
    const [message] = (await Promise.race([once(child, 'message', { signal: over.signal }), exit])) as [Said];
    exit.catch(() => {});
    over.abort();
    return message;
  };
  const { port } = (await said()) as Said & { port: number };
  return {
    port,
    ask: async () => {
      const answer = said();
      child.send('how are you?');
      return (await answer) as Said & { streams: number; metrics: string };
    },
  };
};

if (import.meta.main) {
  const metrics = new Metrics('small');
  const row = Buffer.alloc(1_500, 0x5a);
  const server = await startGrpcServer({
    address: { host: '127.0.0.1', port: 0 },
    tls: 'plaintext',
    log: silentLog,
    metrics,
    methods: {
      [paths.watch]: { kind: 'server-stream', open: (call) => void call.send(row) },
      [paths.hang]: { kind: 'unary', handle: () => new Promise(() => {}) },
      [paths.echo]: { kind: 'unary', handle: ({ request }) => request },
    },
  });
  const say = (said: Said): void => void process.send?.(said);
  process.on('message', async () => say({ streams: server.streams, metrics: await metrics.text() }));
  process.once('disconnect', () => process.exit());
  say({ port: Number(server.address.split(':').at(-1)) });
}
