import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { printNetwork } from '@gatehouse/core/ip-network';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { KindHealth } from '@gatehouse/platform/kube/source';
import { createLog } from '@gatehouse/platform/log/log';
import { aClock } from '@gatehouse/testing/a-clock';
import {
  aNamespace,
  aNetworkAuthenticationPolicy,
  aPod,
  aRejected,
  aService,
  labelled,
} from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aStream, type FakeStream } from '@gatehouse/testing/fake-stream';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { aPolicy, type Policy } from '../../testing/a-policy.ts';
import type { InboundAnswer } from '../core/inbound/rows/row-compiler.ts';

const port = 80;
const backend = aPod({ name: 'backend-0', labels: { app: 'backend' } });
const frontend = (n: number, fields = {}) =>
  aPod({ name: `frontend-${n}`, labels: { app: 'frontend' }, ips: [`10.0.0.${n}`], ...fields });
const policy = aNetworkAuthenticationPolicy({ ports: [{ kind: 'range', first: port, last: port }] });

const open = ({ methods }: Pick<Policy, 'methods'>, pod: string): FakeStream => {
  // Every byte of it is ASCII, so that it survives as text.
  const request = Buffer.from(PortSpec.encode({ workload: `demo:${pod}`, port }).finish()).toString();
  const stream = aStream(request);
  const method = methods['/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort'];
  if (method?.kind === 'server-stream') method.open(stream);
  return stream;
};

/** The policy service on a clock that the test turns; each change is a batch of its own. */
const started = (
  t: TestContext,
  objects: readonly KubeObject[],
  options: Parameters<typeof aPolicy>[1] & { readonly source?: FakeSource } = {},
) => {
  const clock = aClock();
  const served = aPolicy(t, { clock, ...options });
  const source = options.source ?? new FakeSource();
  source.put(...objects);
  served.follow(source);
  clock.pass(20);
  /** The row in force, as REST is told it. */
  const answerOf = (pod: string): InboundAnswer | undefined => {
    const asked = { namespace: 'demo', pod, port };
    let heard: InboundAnswer | undefined;
    served.watch.ask(asked, (answer) => {
      heard = answer;
    });
    clock.turn();
    return heard;
  };
  const now = (pod: string): string => Buffer.from(answerOf(pod)?.encoded.bytes ?? []).toString();
  const admitted = (pod: string): readonly string[] =>
    answerOf(pod)?.compiled.server.authorizations.flatMap(({ networks }) =>
      networks.map(({ net }) => printNetwork(net)),
    ) ?? [];
  return { ...served, source, clock, answerOf, now, admitted };
};

const sizeOf = ({ load: { classes, rows, waiting } }: Policy['watch']) => ({ classes, rows, waiting });

test('a slow reader is given only the newest row, and at most one is on its way', (t) => {
  const { source, clock, now, ...served } = started(t, [backend, policy]);
  const stream = open(served, 'backend-0');
  const first = now('backend-0');
  assert.deepEqual(stream.sent, [first]);
  stream.stall();
  const rows: string[] = [];
  for (const n of [1, 2, 3]) {
    source.put(frontend(n));
    clock.pass(20);
    rows.push(now('backend-0'));
  }
  assert.equal(new Set(rows).size, 3);
  assert.deepEqual(stream.sent, [first, rows[0]]);
  stream.read();
  assert.deepEqual(stream.sent, [first, rows[0], rows[2]]);
  stream.cancel();
});

test('a burst is compiled once, and every reader of a class is handed the same bytes', (t) => {
  const twin = aPod({ name: 'backend-1', labels: { app: 'backend' } });
  const { source, clock, watch, ...served } = started(t, [backend, twin, policy]);
  const streams = [open(served, 'backend-0'), open(served, 'backend-1')];
  assert.deepEqual(sizeOf(watch), { classes: 1, rows: 1, waiting: 0 });
  const compiled = watch.load.compiled;
  for (const n of [1, 2, 3, 4, 5]) source.put(frontend(n));
  clock.pass(20);
  // The first at once, the other four together.
  assert.equal(watch.load.compiled - compiled, 2);
  for (const stream of streams) assert.equal(stream.sent.length, 3);
  assert.deepEqual(streams[0]?.sent, streams[1]?.sent);
  for (const stream of streams) stream.cancel();
  assert.deepEqual(sizeOf(watch), { classes: 0, rows: 0, waiting: 0 });
});

test('anyone who gives up asking leaves nothing behind that waits', async (t) => {
  const { watch, methods } = started(t, [backend, policy]);
  const method = methods['/io.linkerd.proxy.inbound.InboundServerPolicies/GetPort'];
  assert.equal(method?.kind, 'unary');
  const request = PortSpec.encode({ workload: 'demo:backend-0', port }).finish();
  const caller = new AbortController();
  const { peer } = aStream('');
  const ask = () => method.handle({ request, peer, signal: caller.signal });
  // The first has its answer in this turn of the event loop, the others wait for the next.
  const answers = Array.from({ length: 100 }, ask);
  assert.equal(watch.load.waiting, 99);
  caller.abort();
  assert.equal(watch.load.waiting, 0);
  const outcomes = await Promise.allSettled(answers);
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 99);
});

test('a row does not wait for all who ask about its namespace', (t) => {
  const { source, clock, watch, ...served } = started(t, [backend, policy]);
  const stream = open(served, 'backend-0');
  t.after(() => stream.cancel());
  clock.turn();
  let answered = 0;
  for (let n = 0; n < 1_000; n += 1)
    watch.ask({ namespace: 'demo', pod: 'backend-0', port }, () => {
      answered += 1;
    });
  let before: number | undefined;
  stream.send = () => {
    before ??= answered;
    return true;
  };
  source.put(frontend(1));
  // Each piece of work takes a slice, so that the turns of the namespaces are seen.
  const tick = clock.now;
  t.mock.method(clock, 'now', () => {
    clock.work(5);
    return tick();
  });
  for (let turn = 0; turn < 1_100; turn += 1) clock.turn();
  assert.equal(answered, 1_000);
  assert.ok(before !== undefined && before < 100, `${before} answers came before the row`);
});

test('of the rows that one slice compiles, those that may deny a client are sent before those that admit one', (t) => {
  const door = (name: string) => aPod({ name, labels: { app: name } });
  const toDoor = (name: string, caller: string) =>
    aNetworkAuthenticationPolicy({
      name,
      target: labelled({ app: name }),
      ports: [{ kind: 'range', first: port, last: port }],
      sources: [{ podSelector: labelled({ app: caller }) }],
    });
  const { source, clock, ...served } = started(t, [
    door('a'),
    door('b'),
    toDoor('a', 'intruder'),
    toDoor('b', 'frontend'),
    frontend(1),
  ]);
  const heard: string[] = [];
  for (const name of ['a', 'b']) {
    const stream = open(served, name);
    clock.turn();
    const send = stream.send.bind(stream);
    stream.send = (bytes) => {
      heard.push(name);
      return send(bytes);
    };
    t.after(() => stream.cancel());
  }
  clock.pass(20);
  // The address passes from a pod that may call b to one that may call a, in one batch.
  source.put(
    frontend(1, { ips: [] }),
    aPod({ name: 'intruder', labels: { app: 'intruder' }, ips: ['10.0.0.1'] }),
  );
  assert.deepEqual(heard, ['b', 'a']);
});

/** A source of which the test says how long it has been silent. */
class AgeingSource extends FakeSource {
  staleMs = 0;

  override health(): readonly KindHealth[] {
    return super.health().map((one) => ({ ...one, staleMs: this.staleMs }));
  }
}

test('with onStale=deny a silent watch withdraws what is granted to addresses, and life brings it back', (t) => {
  const anywhere = aNetworkAuthenticationPolicy({
    name: 'by-network',
    ports: 'all',
    sources: [{ networks: [{ net: { family: 4, bits: 0n, prefix: 1 }, except: [] }] }],
  });
  const source = new AgeingSource();
  const lines: string[] = [];
  const log = createLog({
    service: 'policy',
    level: 'info',
    format: 'json',
    to: { write: (line) => lines.push(line) },
  });
  const { clock, admitted, ...served } = started(t, [backend, frontend(1), policy, anywhere], {
    source,
    log,
    staleness: { maxMs: 90_000, onStale: 'deny' },
  });
  const stream = open(served, 'backend-0');
  t.after(() => stream.cancel());
  assert.deepEqual(admitted('backend-0'), ['0.0.0.0/1', '10.0.0.1/32']);
  source.staleMs = 90_000;
  clock.pass(1_000);
  assert.equal(stream.sent.length, 1);
  source.staleMs = 90_001;
  clock.pass(1_000);
  assert.deepEqual(admitted('backend-0'), ['0.0.0.0/1']);
  assert.equal(stream.sent.length, 2);
  source.staleMs = 0;
  clock.pass(1_000);
  assert.deepEqual(admitted('backend-0'), ['0.0.0.0/1', '10.0.0.1/32']);
  assert.equal(stream.sent.length, 3);
  assert.equal(lines.filter((line) => line.includes('silent for too long')).length, 1);
  assert.equal(lines.filter((line) => line.includes('alive again')).length, 1);
});

test('with onStale=hold a silent watch is said, and the rows stay', (t) => {
  const source = new AgeingSource();
  const { clock, admitted, watch } = started(t, [backend, frontend(1), policy], { source });
  source.staleMs = 90_001;
  clock.pass(1_000);
  assert.equal(watch.trust, 'stale');
  assert.deepEqual(admitted('backend-0'), ['10.0.0.1/32']);
});

test('a rejected object is logged with its problems once, however often it is listed, and again when they change', (t) => {
  const lines: string[] = [];
  const log = createLog({
    service: 'policy',
    level: 'info',
    format: 'json',
    to: { write: (line) => lines.push(line) },
  });
  const { source, clock, watch } = started(t, [backend, aNamespace(), aService()], { log });
  const bad = (found: string) =>
    aRejected('NetworkAuthenticationPolicy', {
      rejected: [{ field: 'spec.rule', found, fix: 'did you mean `rules`?' }],
    });
  const steps: readonly (readonly [KubeObject | 'relist' | 'remove', number])[] = [
    [bad('unknown field'), 1],
    ['relist', 1],
    [bad('unknown field'), 1],
    [bad('something else'), 2],
    [aNetworkAuthenticationPolicy({ name: 'a' }), 2],
    [bad('unknown field'), 3],
    ['remove', 3],
  ];
  for (const [step, said] of steps) {
    if (step === 'relist') source.relist('NetworkAuthenticationPolicy', bad('unknown field'));
    else if (step === 'remove') source.remove(bad('unknown field'));
    else source.put(step);
    clock.pass(20);
    const rejected = lines.filter((line) => line.includes('cannot be read'));
    assert.equal(rejected.length, said);
    assert.equal(watch.load.rejected.get('NetworkAuthenticationPolicy'), isBad(step) ? 1 : 0);
  }
  const first = JSON.parse(lines.find((line) => line.includes('cannot be read')) ?? '{}');
  assert.equal(first.level, 'error');
  assert.deepEqual(first.problems, ['spec.rule: unknown field: did you mean `rules`?']);
  assert.equal(first.name, 'a');
  assert.equal(lines.filter((line) => line.includes('fixed or removed')).length, 2);
});

const isBad = (step: KubeObject | 'relist' | 'remove'): boolean =>
  step === 'relist' || (typeof step === 'object' && 'rejected' in step.spec);

test('an address that two pods or two Services claim is logged once, and again when it is settled', (t) => {
  const lines: string[] = [];
  const log = createLog({
    service: 'policy',
    level: 'info',
    format: 'json',
    to: { write: (line) => lines.push(line) },
  });
  const twin = frontend(2, { ips: ['10.0.0.1'] });
  const objects = [aNamespace(), policy, backend, frontend(1), twin, aService({ name: 'z', createdAt: 1 })];
  const { source, clock, watch, answerOf, admitted } = started(t, objects, { log });
  const told = () =>
    lines
      .splice(0)
      .map((line) => JSON.parse(line))
      .map(({ level, address, claimants = [] }) => [level, address, ...claimants].join(' '));
  assert.deepEqual(told(), ['warn 10.0.0.1 demo/frontend-1 demo/frontend-2']);
  assert.deepEqual(admitted('backend-0'), []);
  assert.equal(watch.load.contested.Pod, 1);
  const [finding] = answerOf('backend-0')?.compiled.findings ?? [];
  assert.equal(finding?.reason, 'AddressContested');

  source.put(frontend(1, { labels: { app: 'frontend', other: 'label' } }));
  source.put(aService({ name: 'a', createdAt: 2 }));
  clock.pass(20);
  assert.deepEqual(told(), ['warn 10.32.0.1 demo/z demo/a']);
  assert.equal(watch.load.contested.Service, 1);

  source.put(frontend(2, { ips: ['10.0.0.1'], phase: 'Succeeded' }));
  source.remove(aService({ name: 'z', createdAt: 1 }));
  clock.pass(20);
  assert.deepEqual(told(), ['info 10.0.0.1', 'info 10.32.0.1']);
  assert.deepEqual(admitted('backend-0'), ['10.0.0.1/32']);
  assert.deepEqual(watch.load.contested, { Pod: 0, Service: 0 });
});

test('an exception while rows are brought up to date ends the watch, whose owner ends the process', async (t) => {
  const clock = aClock();
  const { watch } = aPolicy(t, { clock });
  const broken = { ...aService(), spec: undefined } as unknown as KubeObject<'Service'>;
  const source = new FakeSource(broken);
  await assert.rejects(watch.run(source, new AbortController().signal), TypeError);
});

test('a client that has left before its call was looked at leaves nothing behind', (t) => {
  const { watch, streams, methods } = started(t, [backend]);
  const gone = aStream();
  gone.cancel();
  const request = PortSpec.encode({ workload: 'demo:backend-0', port }).finish();
  const method = methods['/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort'];
  if (method?.kind === 'server-stream') method.open({ ...gone, request, signal: gone.signal });
  assert.deepEqual(sizeOf(watch), { classes: 0, rows: 0, waiting: 0 });
  assert.deepEqual([...streams.facts()], []);
});

test('open streams are listed with what they were sent and when', (t) => {
  let time = 1_700_000_000_000;
  const { source, clock, streams, ...served } = started(t, [backend, policy], { now: () => time });
  const stream = open(served, 'backend-0');
  const [opened] = streams.facts();
  assert.equal(opened?.method, 'InboundServerPolicies/WatchPort');
  assert.equal(opened?.target, 'demo/backend-0:80');
  assert.equal(opened?.peer, '127.0.0.9:50000');
  assert.equal(opened?.openedAt, time);
  time += 5_000;
  source.put(frontend(1));
  clock.pass(20);
  const [now] = streams.facts();
  const version = served.answerOf('backend-0')?.encoded.version;
  assert.deepEqual(now, { ...opened, sentAt: time, version });
  assert.notEqual(now?.version, opened?.version);
  stream.cancel();
  assert.deepEqual([...streams.facts()], []);
});
