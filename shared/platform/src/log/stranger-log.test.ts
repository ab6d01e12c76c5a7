import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Metrics } from '../metrics/metrics.ts';
import { clientOf } from '../tls/client-of.ts';
import { createLog } from './log.ts';
import { StrangerLog } from './stranger-log.ts';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly client?: string;
  readonly leftOut?: number;
  readonly addresses?: number;
}

const aStrangerLog = (t: TestContext, logLevel: 'debug' | 'warn' = 'debug') => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { ms: 0 };
  const lines: Line[] = [];
  const to = { write: (text: string) => void lines.push(JSON.parse(text)) };
  const metrics = new Metrics('test');
  const strangers = new StrangerLog({
    log: createLog({ service: 'test', level: logLevel, format: 'json', to }),
    metrics,
    now: () => clock.ms,
  });
  const pass = (ms: number): void => {
    clock.ms += ms;
    t.mock.timers.tick(ms);
  };
  /** So many lines of one client; how many of them were written. */
  const written = (client: string, count: number, level: 'warn' | 'info' | 'debug' = 'info'): number => {
    const before = lines.length;
    for (let n = 0; n < count; n += 1) strangers.say(level, { client }, 'a call failed');
    return lines.length - before;
  };
  const suppressed = async (): Promise<number> =>
    Number(/^grpc_server_log_lines_suppressed_total\S* (\d+)$/m.exec(await metrics.text())?.[1]);
  return { strangers, lines, pass, written, suppressed };
};

test('an address has a budget of lines that other addresses do not use up', (t) => {
  const { pass, written } = aStrangerLog(t);
  assert.equal(written('10.0.0.1:4711', 1_000), 10);
  assert.equal(written('10.0.0.1:4712', 1_000), 0, 'another port is not another client');
  assert.equal(written('10.0.0.2:4711', 5), 5);
  pass(10_000);
  assert.equal(written('10.0.0.1:4711', 1_000), 2, 'one in five seconds');
});

test('all addresses together have a budget too', (t) => {
  const { written } = aStrangerLog(t);
  const all = Array.from({ length: 250 }, (_, n) => written(`10.0.${n}.1:80`, 100));
  assert.equal(
    all.reduce((sum, one) => sum + one, 0),
    100,
  );
});

test('the addresses of one IPv6 network are one client', (t) => {
  const { written } = aStrangerLog(t);
  assert.deepEqual(
    [written('[2001:db8::1]:80', 20), written('2001:db8::2', 20), written('[2001:db8:0:1::1]:80', 20)],
    [10, 0, 10],
  );
});

test('an IPv6 client is one client on all its connections', (t) => {
  const { written } = aStrangerLog(t);
  for (const remoteAddress of ['2001:db8::1', '::ffff:10.0.0.1']) {
    let count = 0;
    for (let remotePort = 40_000; remotePort < 40_020; remotePort += 1)
      count += written(clientOf({ remoteAddress, remotePort }), 1);
    assert.equal(count, 10, remoteAddress);
  }
});

test('what was left out is counted, and told in one line while it goes on and at the end', async (t) => {
  const { strangers, lines, pass, written, suppressed } = aStrangerLog(t);
  written('10.0.0.1:80', 1_010);
  written('10.0.0.2:80', 11);
  assert.equal(await suppressed(), 1_001);
  pass(10_000);
  const { level, leftOut, addresses } = lines.at(-1) ?? {};
  assert.deepEqual([level, leftOut, addresses], ['warn', 1_001, 2]);
  const before = lines.length;
  pass(60_000);
  assert.equal(lines.length, before, 'nothing more was left out');
  written('10.0.0.1:80', 30);
  strangers.end();
  assert.equal(lines.at(-1)?.leftOut, 20);
  pass(60_000);
  assert.equal(lines.filter(({ leftOut: count }) => count !== undefined).length, 2);
});

test('lines of a level that is not written use up no budget', async (t) => {
  const { written, suppressed } = aStrangerLog(t, 'warn');
  assert.equal(written('10.0.0.1:80', 500, 'info'), 0);
  assert.equal(written('10.0.0.1:80', 10, 'warn'), 10);
  assert.equal(await suppressed(), 0);
});

test('what an operator asked to see has no bound', async (t) => {
  const { written, suppressed } = aStrangerLog(t);
  assert.equal(written('10.0.0.1:80', 500, 'debug'), 500);
  assert.equal(await suppressed(), 0);
});
