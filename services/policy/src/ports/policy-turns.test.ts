import assert from 'node:assert/strict';
import test from 'node:test';
import { aNamespace, aNetworkAuthenticationPolicy, aPod, labelled } from '@gatehouse/testing/builders';
import { aStream } from '@gatehouse/testing/fake-stream';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { backend, frontend, open, policy, port, started } from '../../testing/a-started-policy.ts';
import type { PolicyWatch } from './policy-watch.ts';

const sizeOf = ({ load: { classes, rows, waiting } }: PolicyWatch) => ({ classes, rows, waiting });

test('a burst is compiled once, and every reader of a class is handed the same bytes', (t) => {
  const twin = aPod({ name: 'backend-1', labels: { app: 'backend' } });
  const { source, clock, watch, ...served } = started(t, [backend, twin, policy]);
  const streams = [open(t, served, 'backend-0'), open(t, served, 'backend-1')];
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
  const stream = open(t, served, 'backend-0');
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

test('a change waits for one row that may take long at most, however long changes are held back', (t) => {
  const calm = aPod({ name: 'calm', namespace: 'calm', labels: { app: 'calm' }, uid: 'calm' });
  const toCalm = (caller: string) =>
    aNetworkAuthenticationPolicy({
      name: 'to-calm',
      namespace: 'calm',
      target: labelled({ app: 'calm' }),
      ports: 'all',
      sources: [{ serviceAccounts: [{ namespace: 'calm', name: caller }] }],
    });
  // An identity counts as ten steps, so each row of it is more than two turns are worth.
  const toAll = (prefix: string) =>
    aNetworkAuthenticationPolicy({
      target: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'Exists' }] },
      ports: 'all',
      sources: [
        {
          serviceAccounts: Array.from({ length: 4_500 }, (_, at) => ({
            namespace: 'demo',
            name: `${prefix}-${at}`,
          })),
        },
      ],
    });
  const { source, clock, watch, ...served } = started(t, [
    backend,
    aPod({ name: 'backend-1', labels: { app: 'other' } }),
    aNamespace({ name: 'calm' }),
    calm,
    toAll('first'),
    // It sets the two pods apart.
    policy,
    toCalm('first'),
  ]);
  for (const pod of ['backend-0', 'backend-1']) open(t, served, pod);
  const stream = open(t, served, 'calm', 'calm');
  for (let turn = 0; turn < 5; turn += 1) clock.turn();
  clock.pass(20);
  const heard = stream.sent.length;
  source.put(toAll('second'));
  assert.equal(watch.load.waiting, 1);
  source.put(toCalm('second'));
  assert.equal(stream.sent.length, heard);
  clock.turn();
  assert.equal(stream.sent.length, heard + 1);
  assert.equal(watch.load.waiting, 1);
  clock.turn();
  assert.equal(watch.load.waiting, 0);
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
    const stream = open(t, served, name);
    clock.turn();
    const send = stream.send.bind(stream);
    stream.send = (bytes) => {
      heard.push(name);
      return send(bytes);
    };
  }
  clock.pass(20);
  // The address passes from a pod that may call b to one that may call a, in one batch.
  source.put(
    frontend(1, { ips: [] }),
    aPod({ name: 'intruder', labels: { app: 'intruder' }, ips: ['10.0.0.1'] }),
  );
  assert.deepEqual(heard, ['b', 'a']);
});
