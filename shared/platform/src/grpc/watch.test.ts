import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, errorCodes, GatehouseError } from '@gatehouse/core/error';
import { aGrpcClient, aGrpcServer, eventually } from '@gatehouse/testing/grpc';
import type { StreamHandlers } from './client.ts';
import { type Backoff, type StreamLimits, type WatchPath, watch, watchRules } from './watch.ts';

const watchPort = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';
const outbound = '/io.linkerd.proxy.outbound.OutboundPolicies/Watch';
const get = '/io.linkerd.proxy.destination.Destination/Get';
const getProfile = '/io.linkerd.proxy.destination.Destination/GetProfile';

/** What each stream does, in turn: messages, then how it ends; the last one stays open. */
type Script = readonly (readonly [...messages: string[], end: ErrorCode | 'ok' | 'open'])[];

/** Watches a server that plays the script, and tells what happened; waiting takes no time. */
const play = async (path: WatchPath, script: Script, backoff?: Backoff) => {
  const [messages, waits]: [string[], (readonly [string, number])[]] = [[], []];
  const abort = new AbortController();
  let turn = 0;
  const serverStream = (_path: string, _request: Uint8Array, { onMessage, onEnd }: StreamHandlers) => {
    const steps = script[turn] ?? ['open'];
    turn += 1;
    queueMicrotask(() => {
      for (const message of steps.slice(0, -1)) onMessage(Buffer.from(message));
      const end = steps.at(-1);
      if (end === 'open') abort.abort();
      else
        onEnd(
          errorCodes.includes(end as ErrorCode)
            ? new GatehouseError(end as ErrorCode, 'scripted')
            : undefined,
        );
    });
    return () => {};
  };
  const final = await watch({
    client: { serverStream },
    path,
    request: Buffer.alloc(0),
    signal: abort.signal,
    onMessage: (message) => messages.push(Buffer.from(message).toString()),
    onRetry: (error, waitMs) => waits.push([error?.code ?? 'ok', waitMs]),
    random: () => 0,
    // Steps as long as the proxy's would make a slow test; a thousandth of them shows the same.
    backoff: backoff ?? { minMs: 0.1, maxMs: 60, jitter: 0.1 },
  });
  return { final: final?.code, messages, waits, streams: turn };
};

test('which statuses are final depends on the method as the proxy has it', async () => {
  const final: Record<WatchPath, readonly ErrorCode[]> = {
    [watchPort]: ['invalid-argument', 'failed-precondition'],
    [getProfile]: ['invalid-argument', 'failed-precondition'],
    [get]: ['invalid-argument', 'failed-precondition'],
    [outbound]: ['invalid-argument', 'failed-precondition', 'not-found', 'unimplemented'],
  };
  let cases = 0;
  for (const path of Object.keys(watchRules) as WatchPath[]) {
    for (const code of errorCodes) {
      const { final: ended, streams } = await play(path, [[code], ['open']]);
      assert.equal(ended, final[path].includes(code) ? code : undefined, `${path} ${code}`);
      assert.equal(streams, final[path].includes(code) ? 1 : 2, `${path} ${code}`);
      cases += 1;
    }
  }
  assert.equal(cases, 48);
});

test('steps double up to their limit while nothing is delivered', async () => {
  const failing = Array.from({ length: 5 }, () => ['unavailable'] as const);
  const { waits } = await play(watchPort, [...failing, ['open']], { minMs: 1, maxMs: 10, jitter: 0.1 });
  assert.deepEqual(
    waits.map(([, wait]) => wait),
    [1, 2, 4, 8, 10],
  );
});

test('a watch that delivered is opened again at once, whether it ended well or not', async () => {
  const script: Script = [
    ['unavailable'],
    ['unavailable'],
    ['row', 'ok'],
    ['row', 'internal'],
    ['unavailable'],
    ['open'],
  ];
  const { waits, messages } = await play(outbound, script);
  assert.deepEqual(waits, [
    ['unavailable', 0.1],
    ['unavailable', 0.2],
    ['ok', 0],
    ['internal', 0],
    ['unavailable', 0.1],
  ]);
  assert.deepEqual(messages, ['row', 'row']);
});

test('Destination.Get waits one step after a stream that delivered', async () => {
  const { waits } = await play(get, [['row', 'ok'], ['row', 'unavailable'], ['unavailable'], ['open']]);
  assert.deepEqual(waits, [
    ['ok', 0.1],
    ['unavailable', 0.1],
    ['unavailable', 0.2],
  ]);
});

test('a clean end without a message is a failure like any other', async () => {
  const { waits } = await play(watchPort, [['ok'], ['ok'], ['open']]);
  assert.deepEqual(waits, [
    ['ok', 0.1],
    ['ok', 0.2],
  ]);
});

test('jitter adds at most its share', async () => {
  const abort = new AbortController();
  const waits: number[] = [];
  await watch({
    client: {
      serverStream: (_path, _request, { onEnd }) => {
        queueMicrotask(() => onEnd(undefined));
        return () => {};
      },
    },
    path: watchPort,
    request: Buffer.alloc(0),
    signal: abort.signal,
    onMessage: () => {},
    onRetry: (_, waitMs) => {
      waits.push(waitMs);
      abort.abort();
    },
    backoff: { minMs: 100, maxMs: 100, jitter: 0.1 },
    random: () => 0.5,
  });
  assert.deepEqual(waits, [105]);
});

test('stream limits end a stream as the proxy does', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const cases: [string, StreamLimits, number, number, string][] = [
    ['no first message', { initialMs: 3_000, idleMs: 300_000 }, 0, 3_000, 'deadline-exceeded'],
    ['silence', { initialMs: 3_000, idleMs: 300_000 }, 1, 300_000, 'ok'],
    ['old age', { lifetimeMs: 3_600_000 }, 1, 3_600_000, 'ok'],
  ];
  assert.equal(cases.length, 3);
  for (const [title, limits, messages, afterMs, outcome] of cases) {
    const abort = new AbortController();
    const retried: string[] = [];
    let cancelled = 0;
    const watching = watch({
      client: {
        serverStream: (_path, _request, { onMessage }) => {
          for (let sent = 0; sent < messages; sent += 1) onMessage(Buffer.alloc(0));
          return () => {
            cancelled += 1;
          };
        },
      },
      path: watchPort,
      request: Buffer.alloc(0),
      signal: abort.signal,
      onMessage: () => {},
      onRetry: (error) => {
        retried.push(error?.code ?? 'ok');
        abort.abort();
      },
      limits,
    });
    t.mock.timers.tick(afterMs - 1);
    assert.deepEqual(retried, [], title);
    t.mock.timers.tick(1);
    await watching;
    assert.deepEqual([retried, cancelled], [[outcome], 1], title);
  }
});

test('over a real connection a watch survives its server', async (t) => {
  const methods = (row: string) => ({
    [watchPort]: {
      kind: 'server-stream' as const,
      open: (call: { send(bytes: Uint8Array): boolean }) => void call.send(Buffer.from(row)),
    },
  });
  const first = await aGrpcServer(t, { methods: methods('first') });
  const client = aGrpcClient(t, first);
  const abort = new AbortController();
  const messages: string[] = [];
  const watching = watch({
    client,
    path: watchPort,
    request: Buffer.alloc(0),
    signal: abort.signal,
    onMessage: (message) => messages.push(Buffer.from(message).toString()),
    backoff: { minMs: 5, maxMs: 20, jitter: 0 },
  });
  await eventually(() => messages.length === 1);
  await first.drain(1_000);
  const [, port] = first.address.split(':');
  await aGrpcServer(t, { methods: methods('second'), address: { host: '127.0.0.1', port: Number(port) } });
  await eventually(() => messages.includes('second'));
  abort.abort();
  assert.equal(await watching, undefined);
});
