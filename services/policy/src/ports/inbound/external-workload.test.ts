import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { everything } from '@gatehouse/core/label-selector';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aNamespace,
  aNetworkAuthenticationPolicy,
  anExternalWorkload,
  aPod,
  aRejected,
  aServer,
  aServerAuthorization,
  labelled,
} from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { PortSpec, Server } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { aServedPolicy } from '../../../testing/a-policy.ts';
import { watchPort } from '../../../testing/watched-port.ts';

const workload = '{"ns":"demo","external_workload":"vm"}';
const vm = (said: Parameters<typeof anExternalWorkload>[0] = {}) =>
  anExternalWorkload({ name: 'vm', labels: { app: 'db' }, ...said });
const forVms = (said: Parameters<typeof aServer>[0] = {}) =>
  aServer({
    podSelector: undefined,
    externalWorkloadSelector: labelled({ app: 'db' }),
    port: { kind: 'name', name: 'http' },
    accessPolicy: 'all-authenticated',
    ...said,
  });

const served = async (t: TestContext, ...objects: readonly KubeObject[]) => {
  const { client, follow } = await aServedPolicy(t);
  const source = new FakeSource(...objects);
  follow(source);
  return { client, source };
};

/** What governs port 8080 of the workload, as the proxy reads it. */
const governorOf = async (t: TestContext, ...objects: readonly KubeObject[]): Promise<string> => {
  const { client } = await served(t, ...objects);
  return nameOf(await watchPort(client, { workload, port: 8080 }).message(0));
};

const nameOf = ({ meta }: InboundServer): string =>
  meta.kind === 'default' ? `default ${meta.name}` : `${meta.resource.kind} ${meta.resource.name}`;

const open = { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' };
const cases: readonly (readonly [title: string, objects: readonly KubeObject[], governor: string])[] = [
  ['nothing but the default', [vm()], 'default deny'],
  ['its annotation', [vm({ annotations: open })], 'default all-unauthenticated'],
  ['that of its Namespace', [vm(), aNamespace({ annotations: open })], 'default all-unauthenticated'],
  ['a Server by its labels and the name of a port', [vm(), forVms()], 'server a'],
  ['a Server by number', [vm(), forVms({ port: { kind: 'range', first: 8080, last: 8080 } })], 'server a'],
  ['a Server of all', [vm(), forVms({ externalWorkloadSelector: everything })], 'server a'],
  ['no Server of another port', [vm({ ports: [] }), forVms()], 'default deny'],
  ['no Server of other labels', [vm({ labels: {} }), forVms()], 'default deny'],
  ['no Server of pods', [vm(), aServer()], 'default deny'],
  ['no Server of another namespace', [vm(), forVms({ namespace: 'other' })], 'default deny'],
  [
    'the oldest Server of several',
    [vm(), forVms({ createdAt: 1 }), forVms({ name: 'older', createdAt: 0 })],
    'server older',
  ],
  ['a rejected Server that may be for it', [vm(), aRejected('Server')], 'server a'],
  [
    'no NetworkAuthenticationPolicy, which is for pods',
    [vm({ annotations: open }), aNetworkAuthenticationPolicy({ target: everything, ports: 'all' })],
    'default all-unauthenticated',
  ],
];

describe('the ports of an ExternalWorkload are governed by', () => {
  it('what the table says', () => assert.equal(cases.length, 13));
  for (const [title, objects, governor] of cases) {
    it(title, async (t) => assert.equal(await governorOf(t, ...objects), governor));
  }
});

describe('the proxy of an ExternalWorkload', () => {
  it('is told of Servers, authorizations and its own labels as they change', async (t) => {
    const { client, source } = await served(t, vm());
    const stream = watchPort(client, { workload, port: 8080 });
    assert.equal(nameOf(await stream.message(0)), 'default deny');
    source.put(forVms());
    assert.equal((await stream.message(1)).authorizations.length, 1);
    source.put(aServerAuthorization());
    assert.equal((await stream.message(2)).authorizations.length, 2);
    source.put(vm({ labels: { app: 'other' } }));
    assert.equal(nameOf(await stream.message(3)), 'default deny');
    source.put(vm({ ports: [{ name: 'http', port: 9000 }] }));
    source.put(vm());
    assert.equal(nameOf(await stream.message(4)), 'server a');
    source.put(aRejected('Server'));
    assert.equal((await stream.message(5)).authorizations.length, 0);
    source.remove(aRejected('Server'));
    assert.equal(nameOf(await stream.message(6)), 'default deny');
  });

  it('hears the end of its stream when it is deleted, made again, or relisted away', async (t) => {
    const { client, source } = await served(t, vm({ uid: 'one' }));
    const ends: readonly (() => void)[] = [
      () => source.remove(vm({ uid: 'one' })),
      () => source.put(vm({ uid: 'two' })),
      () => source.relist('ExternalWorkload'),
    ];
    for (const end of ends) {
      source.put(vm({ uid: 'one' }));
      const stream = watchPort(client, { workload, port: 8080 });
      await stream.message(0);
      end();
      assert.equal(await stream.ended, undefined);
    }
    assert.equal(ends.length, 3);
  });

  it('is NotFound while it is unknown, whatever pod has its name, and is answered by GetPort too', async (t) => {
    const { client, source } = await served(t, aPod({ name: 'vm' }));
    const path = '/io.linkerd.proxy.inbound.InboundServerPolicies/GetPort';
    const request = PortSpec.encode({ workload, port: 8080 }).finish();
    await assert.rejects(client.unary(path, request), { code: 'not-found' });
    source.put(vm({ annotations: open }));
    const { labels } = Server.decode(await client.unary(path, request));
    assert.equal(labels.name, 'all-unauthenticated');
    const pod = watchPort(client, { workload: 'demo:vm', port: 8080 });
    assert.equal(nameOf(await pod.message(0)), 'default deny');
  });

  it('is granted nothing while its labels or ports cannot be read', async (t) => {
    const unread = [vm({ unreadTexts: ['labels'] }), vm({ unreadPorts: true })];
    for (const object of unread) {
      const { client } = await served(t, object, forVms());
      const { authorizations } = await watchPort(client, { workload, port: 8080 }).message(0);
      assert.deepEqual(authorizations, []);
    }
    assert.equal(unread.length, 2);
  });
});
