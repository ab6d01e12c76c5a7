import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, errorCodes, GatehouseError } from '@gatehouse/core/error';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { aStream } from '@gatehouse/testing/fake-stream';
import { createLog } from '../log/log.ts';
import { StrangerLog } from '../log/stranger-log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { callMetrics, type ObserveOptions, observe } from './call.ts';
import { errorOfStatus, grpcName, grpcNumber } from './status.ts';
import { type Method, serverDrained, type UnaryCall } from './transport.ts';

const recording = (options: Partial<ObserveOptions> = {}) => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    service: 'test',
    level: 'debug',
    format: 'json',
    to: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const metrics = new Metrics('test');
  const strangers = new StrangerLog({ log, metrics });
  const observed = (method: Method): Method => {
    const own = { strangers, metrics: callMetrics(metrics), ...options };
    const wrapped = observe({ '/a.B/C': method }, own)['/a.B/C'];
    assert.ok(wrapped !== undefined);
    return wrapped;
  };
  return { lines, metrics, observed };
};

const aCall = (signal = new AbortController().signal): UnaryCall => ({
  request: Buffer.alloc(0),
  peer: { address: '127.0.0.9', port: 1, identity: parseIdentity('web.mesh') },
  signal,
});

const unary = (method: Method) => {
  assert.ok(method.kind === 'unary');
  return method;
};

const stream = (method: Method) => {
  assert.ok(method.kind === 'server-stream');
  return method;
};

test('a failed call leaves one line with its method, code, client, details and cause', async () => {
  const { lines, observed } = recording();
  const cause = new Error('connection refused');
  const method = unary(
    observed({
      kind: 'unary',
      handle: () => {
        throw new GatehouseError('unavailable', 'try again', { cause, details: { pod: 'web-1' } });
      },
    }),
  );
  await assert.rejects(async () => method.handle(aCall()), { code: 'unavailable' });
  assert.equal(lines.length, 1);
  const { level, method: name, code, client, identity, details, err, msg } = lines[0] ?? {};
  assert.deepEqual(
    { level, name, code, client, identity, details, msg },
    {
      level: 'warn',
      name: 'a.B/C',
      code: 'unavailable',
      client: '127.0.0.9',
      identity: 'web.mesh',
      details: { pod: 'web-1' },
      msg: 'try again',
    },
  );
  assert.equal(Object(err).message, 'connection refused');
});

test('a call that succeeds leaves no line', async () => {
  const { lines, observed } = recording();
  await unary(observed({ kind: 'unary', handle: () => Buffer.alloc(0) })).handle(aCall());
  assert.deepEqual(lines, []);
});

test('what is thrown unexpectedly is internal outside, and its cause in the log', async () => {
  const { lines, observed } = recording();
  const method = unary(
    observed({
      kind: 'unary',
      handle: () => {
        throw new TypeError('x is undefined');
      },
    }),
  );
  await assert.rejects(async () => method.handle(aCall()), { code: 'internal', message: 'internal error' });
  assert.deepEqual([lines[0]?.level, Object(lines[0]?.err).message], ['error', 'x is undefined']);
});

test('a call over its deadline is told so and aborted', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lines, observed } = recording({ unaryDeadlineMs: 8_000 });
  let signal: AbortSignal | undefined;
  const method = unary(
    observed({
      kind: 'unary',
      handle: (call) => {
        signal = call.signal;
        return Promise.withResolvers<Uint8Array>().promise;
      },
    }),
  );
  const answer = Promise.resolve(method.handle(aCall()));
  const failed = assert.rejects(answer, { code: 'deadline-exceeded', message: 'not done within 8000 ms' });
  t.mock.timers.tick(8_000);
  await failed;
  assert.equal(signal?.aborted, true);
  assert.equal(lines[0]?.code, 'deadline-exceeded');
});

test('a call whose client left counts as cancelled whatever its handler says then', async () => {
  const { metrics, observed } = recording();
  const abort = new AbortController();
  const method = unary(
    observed({
      kind: 'unary',
      handle: async () => {
        abort.abort();
        throw new Error('socket closed');
      },
    }),
  );
  await assert.rejects(async () => method.handle(aCall(abort.signal)), { code: 'cancelled' });
  assert.match(await metrics.text(), /handled_total\{[^}]*grpc_code="Canceled"[^}]*\} 1/);
});

test('every way a stream can end is counted once', async () => {
  const cases: [string, (call: ReturnType<typeof aStream>) => Method, string][] = [
    ['ended well', () => ({ kind: 'server-stream', open: (call) => call.end() }), 'OK'],
    [
      'ended with a status',
      () => ({ kind: 'server-stream', open: (call) => call.end({ code: 'not-found', message: 'no' }) }),
      'NotFound',
    ],
    [
      'threw',
      () => ({
        kind: 'server-stream',
        open: () => {
          throw new GatehouseError('invalid-argument', 'no');
        },
      }),
      'InvalidArgument',
    ],
    ['left by the client', (call) => ({ kind: 'server-stream', open: () => call.cancel() }), 'Canceled'],
    [
      'ended twice',
      () => ({
        kind: 'server-stream',
        open: (call) => {
          call.end();
          call.end({ code: 'internal', message: 'no' });
        },
      }),
      'OK',
    ],
  ];
  assert.equal(cases.length, 5);
  for (const [title, method, code] of cases) {
    const { metrics, observed } = recording();
    const call = aStream();
    stream(observed(method(call))).open(call);
    const text = await metrics.text();
    const handled = text.split('\n').filter((line) => line.startsWith('grpc_server_handled_total{'));
    assert.equal(handled.length, 1, title);
    assert.match(handled[0] ?? '', new RegExp(`grpc_code="${code}".*\\} 1$`), title);
    assert.match(text, /grpc_server_streams\{[^}]*\} 0/, title);
  }
});

test('a stream that the drain ended counts as OK', async () => {
  const { metrics, lines, observed } = recording();
  const abort = new AbortController();
  stream(observed({ kind: 'server-stream', open: () => {} })).open({ ...aStream(), signal: abort.signal });
  assert.match(await metrics.text(), /grpc_server_streams\{[^}]*\} 1/);
  abort.abort(serverDrained);
  assert.match(await metrics.text(), /handled_total\{[^}]*grpc_code="OK"[^}]*\} 1/);
  assert.deepEqual(lines, []);
});

test("every code of ours has gRPC's number and name, and comes back from it", () => {
  const expected: Record<ErrorCode, [number, string]> = {
    cancelled: [1, 'Canceled'],
    'invalid-argument': [3, 'InvalidArgument'],
    'deadline-exceeded': [4, 'DeadlineExceeded'],
    'not-found': [5, 'NotFound'],
    'already-exists': [6, 'AlreadyExists'],
    'permission-denied': [7, 'PermissionDenied'],
    'resource-exhausted': [8, 'ResourceExhausted'],
    'failed-precondition': [9, 'FailedPrecondition'],
    unimplemented: [12, 'Unimplemented'],
    internal: [13, 'Internal'],
    unavailable: [14, 'Unavailable'],
    unauthenticated: [16, 'Unauthenticated'],
  };
  assert.equal(errorCodes.length, 12);
  for (const code of errorCodes) {
    assert.deepEqual([grpcNumber(code), grpcName(code)], expected[code]);
    assert.equal(errorOfStatus(grpcNumber(code), '').code, code);
  }
  assert.equal(grpcName(undefined), 'OK');
  for (const unknown of [2, 10, 11, 15, 99, Number.NaN])
    assert.equal(errorOfStatus(unknown, '').code, 'internal');
});

test('a status that a method gives all the time is counted, and no news', async () => {
  const levels: unknown[] = [];
  for (const usual of [undefined, 'not-found'] as const) {
    const { lines, metrics, observed } = recording();
    const method: Method = {
      kind: 'unary',
      ...(usual === undefined ? {} : { usual }),
      handle: () => {
        throw new GatehouseError('not-found', 'no Service answers there');
      },
    };
    await assert.rejects(async () => unary(observed(method)).handle(aCall()), { code: 'not-found' });
    assert.match(await metrics.text(), /grpc_server_handled_total\{[^}]*grpc_code="NotFound"[^}]*\} 1/);
    levels.push(...lines.map(({ level }) => level));
  }
  assert.deepEqual(levels, ['info', 'debug']);
});
