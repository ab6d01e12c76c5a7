import { setTimeout as delay } from 'node:timers/promises';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { callFlood, connectedTo } from '@gatehouse/testing/hostile/call-flood';
import { silentConnections } from '@gatehouse/testing/hostile/silent-connections';
import { aSmallServer, paths, type SmallServer } from '@gatehouse/testing/hostile/small-server';
import { frameBytes, frameType } from '@gatehouse/testing/raw-http2';
import { type Attack, partOf } from './attack.ts';

const attacker = '127.0.7.7';
const cancel = (stream: number): Uint8Array =>
  frameBytes(frameType.reset, 0, stream, Uint8Array.of(0, 0, 0, 8));

interface Flood {
  readonly what: string;
  readonly calls: number;
  readonly start: (server: SmallServer, calls: number) => Promise<Running>;
}

/** A flood while it is on; it may never get as far as it would like. */
interface Running {
  /** Returns how much of it came. */
  stop(): Promise<number>;
}

const calls = (
  what: string,
  count: number,
  rest: Omit<Parameters<typeof callFlood>[0], 'socket' | 'calls'>,
): Flood => ({
  what,
  calls: count,
  start: async (server, of) => {
    const socket = await connectedTo(server.port, attacker);
    const flood = callFlood({ socket, calls: of, ...rest });
    return {
      stop: async () => {
        socket.destroy();
        return (await flood).sent;
      },
    };
  },
});

const floods: readonly Flood[] = [
  calls('streams that nobody reads', 33_000, {
    reads: false,
    call: { path: paths.watch, message: Buffer.from('x') },
  }),
  calls('streams', 33_000, { call: { path: paths.watch, message: Buffer.from('x') } }),
  calls('calls that never end', 20_000, { call: { path: paths.hang, message: Buffer.from('x') } }),
  calls('calls that are cancelled at once', 20_000, {
    call: { path: paths.hang, message: Buffer.from('x') },
    after: cancel,
  }),
  calls('requests that never come whole', 5_000, { call: { path: paths.echo } }),
  {
    what: 'connections that say nothing',
    calls: 600,
    start: async ({ port }, of) => {
      const flood = silentConnections({ port, perSecond: 300, from: attacker });
      while (flood.opened < of) await delay(10);
      return {
        stop: async () => {
          flood.stop();
          return flood.opened;
        },
      };
    },
  },
];

/** Calls of a client from another address, made while the flood is on. */
const honestCalls = 10;

/** A stranger who has nothing to say, but says it often, to a process with a heap of 256 MiB. */
export const floodsOfCalls: Attack = {
  name: 'floods',
  run: async ({ share, cleanup }) => {
    const findings: string[] = [];
    let tried = 0;
    for (const { what, calls: full, start } of floods) {
      const server = await aSmallServer(cleanup);
      const client = new GrpcClient({
        address: { host: '127.0.0.1', port: server.port },
        security: 'plaintext',
        connectTimeoutMs: 10_000,
      });
      cleanup.after(() => client.close());
      try {
        const flood = await start(server, partOf(full, share));
        try {
          for (let call = 0; call < honestCalls; call += 1) {
            const signal = AbortSignal.timeout(20_000);
            const answer = await client.unary(paths.echo, Buffer.from('alive'), { signal });
            if (Buffer.from(answer).toString() !== 'alive') findings.push(`${what}: another's answer came`);
            // Calls in a row would be over before the flood is on.
            await delay(50);
          }
          await server.ask();
        } finally {
          tried += await flood.stop();
        }
      } catch (error) {
        findings.push(`${what}: ${String(error)}`);
      }
    }
    return {
      tried,
      findings,
      held: `${floods.length} floods, and each of ${floods.length * honestCalls} honest calls was answered`,
    };
  },
};
