import assert from 'node:assert/strict';
import test from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Source } from '@gatehouse/platform/kube/source';
import { aClock } from '@gatehouse/testing/a-clock';
import { aPod, aService } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { settings } from '../../testing/a-cluster.ts';
import { compileEndpointSet, type EndpointSet } from '../core/endpoints/endpoint-set.ts';
import { watchedKinds } from '../core/facts.ts';
import { ClusterWatch } from './watch.ts';

const target = {
  kind: 'service',
  namespace: 'demo',
  name: 'backend',
  port: 80,
  instance: undefined,
} as const;

test('the first change of a burst is told at once, the rest together, at most every 20 ms', async () => {
  const { pass, ...clock } = aClock();
  const source = new FakeSource(aService({ name: 'backend' }));
  const watch = new ClusterWatch(settings, clock);
  const abort = new AbortController();
  const running = watch.run(source, abort.signal);
  const told: number[] = [];
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

test('an answer that cannot be compiled ends the watch with the reason, also when it was compiled out of a timer', async () => {
  const clock = aClock();
  const source = new FakeSource(aService({ name: 'backend' }));
  const watch = new ClusterWatch(settings, clock);
  const running = watch.run(source, new AbortController().signal);
  let isBroken = false;
  const compile = (previous: EndpointSet | undefined) => {
    if (isBroken) throw new Error('a bug');
    return compileEndpointSet(watch.cluster, target, previous);
  };
  const told: string[] = [];
  const held = watch.answers.ask('q', compile, () => told.push(held.value.kind));
  assert.equal(held.value.kind, 'endpoints');
  clock.pass(100);
  const add = (index: number) =>
    source.put(aPod({ name: `p${index}`, ips: [`10.1.0.${index}`], labels: { app: 'backend' } }));
  add(1);
  isBroken = true;
  add(2);
  assert.deepEqual(told, ['endpoints'], 'what follows the first change waits');
  clock.pass(20);
  await assert.rejects(running, { message: 'a bug' });
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
  assert.equal(watchedKinds.length, 7);
  for (const kind of watchedKinds) {
    assert.equal(watch.isReady, false, kind);
    deliver([{ type: 'reset', kind, objects: [] } as Change]);
  }
  assert.equal(watch.isReady, true);
  abort.abort();
  await running;
  assert.equal(watch.isReady, true);
});
