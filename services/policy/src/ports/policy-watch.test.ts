import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { KindHealth } from '@gatehouse/platform/kube/source';
import { createLog } from '@gatehouse/platform/log/log';
import { aClock } from '@gatehouse/testing/a-clock';
import { aNamespace, aNetworkAuthenticationPolicy, aRejected, aService } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aStream } from '@gatehouse/testing/fake-stream';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { aPolicy } from '../../testing/a-policy.ts';
import { backend, frontend, open, policy, port, started } from '../../testing/a-started-policy.ts';

test('a slow reader is given only the newest row, and at most one is on its way', (t) => {
  const { source, clock, now, ...served } = started(t, [backend, policy]);
  const stream = open(t, served, 'backend-0');
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
  const stream = open(t, served, 'backend-0');
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
      .filter(({ address }) => address !== undefined)
      .map(({ level, address, claimants = [] }) => [level, address, ...claimants].join(' '));
  assert.deepEqual(told(), ['warn 10.0.0.1 demo/frontend-1 demo/frontend-2']);
  assert.deepEqual(admitted('backend-0'), []);
  assert.equal(watch.load.contested.Pod, 1);
  const [finding] = answerOf('backend-0')?.compiled.findings ?? [];
  assert.equal(finding?.reason, 'AddressShared');

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
  const { classes, rows, waiting } = watch.load;
  assert.deepEqual({ classes, rows, waiting }, { classes: 0, rows: 0, waiting: 0 });
  assert.deepEqual([...streams.facts()], []);
});

test('open streams are listed with what they were sent and when', (t) => {
  let time = 1_700_000_000_000;
  const { source, clock, streams, ...served } = started(t, [backend, policy], { now: () => time });
  const stream = open(t, served, 'backend-0');
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
  const sentBytes = stream.sent.reduce((sum, text) => sum + text.length, 0);
  const delivered = { deliveredVersion: version, deliveredAt: time };
  assert.equal(now?.version, version);
  assert.notEqual(now?.version, opened?.version);
  stream.cancel();
  assert.deepEqual(
    [now, ...streams.facts()],
    [{ ...opened, sentAt: time, version, sentBytes, ...delivered }],
  );
});
