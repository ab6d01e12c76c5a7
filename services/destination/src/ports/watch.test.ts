import assert from 'node:assert/strict';
import test from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Source } from '@gatehouse/platform/kube/source';
import { aPod, aService } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { settings } from '../../testing/a-cluster.ts';
import { compileEndpointSet, type EndpointSet } from '../core/endpoints/endpoint-set.ts';
import { watchedKinds } from '../core/facts.ts';
import { ClusterWatch } from './watch.ts';

test('the first change of a burst is told at once, the rest together, at most every 20 ms', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let clock = 0;
  const pass = (ms: number) => {
    clock += ms;
    t.mock.timers.tick(ms);
  };
  const source = new FakeSource(aService({ name: 'backend' }));
  const watch = new ClusterWatch(settings, () => clock);
  const abort = new AbortController();
  const running = watch.run(source, abort.signal);
  const told: number[] = [];
  const target = {
    kind: 'service',
    namespace: 'demo',
    name: 'backend',
    port: 80,
    instance: undefined,
  } as const;
  const held = watch.answers.ask(
    'q',
    (previous: EndpointSet | undefined) => compileEndpointSet(watch.cluster, target, previous),
    () => told.push(held.value.kind === 'endpoints' ? held.value.endpoints.length : -1),
  );
  assert.equal(held.value.kind, 'endpoints');
  const add = (index: number) =>
    source.put(aPod({ name: `p${index}`, ips: [`10.1.0.${index}`], labels: { app: 'backend' } }));
  pass(100);
  add(1);
  assert.deepEqual(told, [1]);
  add(2);
  pass(10);
  add(3);
  assert.deepEqual(told, [1]);
  pass(9);
  assert.deepEqual(told, [1]);
  pass(1);
  assert.deepEqual(told, [1, 3]);
  add(4);
  abort.abort();
  await running;
  pass(100);
  assert.deepEqual(told, [1, 3], 'nothing is told after the end');
});

test('the watch is ready when the last kind has been listed, and stays so', async () => {
  let deliver: (changes: readonly Change[]) => void = () => {};
  const slow: Source = {
    run: (_kinds, listener, signal) => {
      deliver = listener;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    },
    health: () => [],
  };
  const watch = new ClusterWatch(settings);
  const abort = new AbortController();
  const running = watch.run(slow, abort.signal);
  assert.equal(watchedKinds.length, 5);
  for (const kind of watchedKinds) {
    assert.equal(watch.isReady, false, kind);
    deliver([{ type: 'reset', kind, objects: [] } as Change]);
  }
  assert.equal(watch.isReady, true);
  abort.abort();
  await running;
  assert.equal(watch.isReady, true);
});
