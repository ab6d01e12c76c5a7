import assert from 'node:assert/strict';
import test from 'node:test';
import { aNode, aPod, aService, aServiceProfile } from '@gatehouse/testing/builders';
import { DestinationProfile } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { aDestination, admitted } from '../../testing/a-destination.ts';
import type { FakeCall } from '../../testing/fake-call.ts';

const path = 'backend.demo.svc.cluster.local:80';
const service = aService({ name: 'backend' });
const profile = (namespace: string, authority: string) =>
  aServiceProfile({
    namespace,
    name: 'backend.demo.svc.cluster.local',
    overrides: [{ authority, weightMilli: 1_000 }],
  });

const last = (call: FakeCall): DestinationProfile =>
  DestinationProfile.decode(call.messages.at(-1) ?? assert.fail());
/** Where a client's requests are sent in place of the Service. */
const overrides = (call: FakeCall): readonly string[] =>
  last(call).dstOverrides.map(({ authority }) => authority);

test('a ServiceProfile that comes, changes and goes reaches its clients, and no others', async (t) => {
  const { source, server, start, stop, ask } = aDestination(service);
  start();
  t.after(stop);
  const own = ask('GetProfile', { path, contextToken: '{"ns":"client"}' });
  const other = ask('GetProfile', { path, contextToken: 'ns:elsewhere' });
  t.after(() => [own, other].map((call) => call.cancel()));
  await admitted(server);
  assert.deepEqual([overrides(own), overrides(other)], [[], []]);

  source.put(profile('demo', 'a'));
  assert.deepEqual([overrides(own), overrides(other)], [['a:80'], ['a:80']]);
  source.put(profile('client', 'b'));
  assert.deepEqual([overrides(own), overrides(other)], [['b:80'], ['a:80']]);
  source.put(profile('demo', 'c'));
  assert.deepEqual([overrides(own), overrides(other)], [['b:80'], ['c:80']]);
  assert.deepEqual([own.messages.length, other.messages.length], [3, 3], 'nothing is told that is not new');
  source.remove(profile('client', ''));
  source.remove(profile('demo', ''));
  assert.deepEqual([overrides(own), overrides(other)], [[], []]);
});

test('the profile of a Service that does not exist says nothing, until it is made', async (t) => {
  const { source, server, start, stop, ask } = aDestination();
  start();
  t.after(stop);
  const call = ask('GetProfile', { path });
  t.after(() => call.cancel());
  await admitted(server);
  assert.deepEqual([call.ended, call.messages.map((message) => message.length)], [undefined, [0]]);
  source.put(service);
  assert.equal(last(call).fullyQualifiedName, 'backend.demo.svc.cluster.local');
});

test('an endpoint profile says how the pod lies to its client', async (t) => {
  const { server, start, stop, ask } = aDestination(
    aPod({ ips: ['10.1.0.1'], nodeName: 'n1' }),
    aNode({ name: 'n1', zone: 'x' }),
    aNode({ name: 'n2', zone: 'y' }),
  );
  start();
  t.after(stop);
  const calls = ['n1', 'n2', ''].map((nodeName) =>
    ask('GetProfile', { path: '10.1.0.1:8080', contextToken: JSON.stringify({ nodeName }) }),
  );
  t.after(() => calls.map((call) => call.cancel()));
  await admitted(server);
  assert.deepEqual(
    calls.map((call) => last(call).endpoint?.metricLabels.zone_locality),
    ['local', 'remote', 'unknown'],
  );
});
