import assert from 'node:assert/strict';
import test from 'node:test';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { printNetwork } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import {
  aNamespace,
  aNetworkAuthenticationPolicy,
  anHttpRoute,
  aPod,
  aServer,
} from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { aServedPolicy } from '../../../testing/a-policy.ts';
import { decodeServer, inboundService, watchPort, workload } from '../../../testing/watched-port.ts';

/** Whom the port admits, by address. */
const admitted = ({ authorizations }: InboundServer): readonly string[] =>
  authorizations.flatMap(({ networks }) => networks.map(({ net }) => printNetwork(net)));

const backend = aPod({ name: 'backend-0', labels: { app: 'backend' } });
const frontend = aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'] });
const policy = aNetworkAuthenticationPolicy();

test('a policy that is written opens the port on the open stream, and deleting it revokes', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(aNamespace(), backend, frontend);
  followSource(source);
  const stream = watchPort(client);
  const denied = await stream.message(0);
  assert.deepEqual(denied.meta, { kind: 'default', name: 'deny' });
  assert.deepEqual(admitted(denied), []);
  source.put(policy);
  const opened = await stream.message(1);
  assert.deepEqual(opened.authorizations, [
    {
      networks: [{ net: { family: 4, bits: 0x0a000007n, prefix: 32 }, except: [] }],
      authentication: {
        kind: 'identities',
        identities: [parseIdentity('default.demo.serviceaccount.identity.gatehouse.cluster.local')],
        suffixes: [],
      },
      meta: {
        kind: 'resource',
        resource: {
          group: 'policy.linkerd.io',
          kind: 'networkauthenticationpolicy',
          name: 'frontend-can-talk-to-backend',
        },
      },
    },
  ]);
  source.remove(policy);
  assert.deepEqual(await stream.message(2), denied);
});

const server = aServer();

test('routes are sent as they are attached, changed and detached', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(backend, server, aServer({ name: 'other' }));
  followSource(source);
  const stream = watchPort(client);
  const names = ({ protocol }: InboundServer): readonly string[] =>
    'routes' in protocol
      ? protocol.routes.map(({ meta }) => (meta.kind === 'default' ? meta.name : meta.resource.name))
      : [];
  assert.deepEqual(names(await stream.message(0)), ['default']);
  source.put(anHttpRoute({ name: 'api' }));
  assert.deepEqual(names(await stream.message(1)), ['api']);
  source.put(anHttpRoute({ name: 'api', servers: ['other'] }));
  assert.deepEqual(names(await stream.message(2)), ['default']);
  source.put(anHttpRoute({ name: 'api' }));
  assert.deepEqual(names(await stream.message(3)), ['api']);
  source.relist('HTTPRoute');
  assert.deepEqual(names(await stream.message(4)), ['default']);
});

test('changes that alter nothing for a port send nothing', async (t) => {
  const { client, watch, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(aNamespace(), backend, frontend, policy);
  followSource(source);
  const stream = watchPort(client);
  await stream.message(0);
  const compiled = watch.load.compiled;
  source.put(aPod({ name: 'stranger', labels: { app: 'stranger' } }));
  source.put(aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'], ready: false }));
  source.put(aNetworkAuthenticationPolicy({ name: 'elsewhere', namespace: 'other' }));
  source.put(aNetworkAuthenticationPolicy({ name: 'port', ports: [{ kind: 'range', first: 9, last: 9 }] }));
  source.relist('NetworkAuthenticationPolicy', policy);
  // The next thing that it hears is a change that does matter.
  source.put(aPod({ name: 'frontend-1', labels: { app: 'frontend' }, ips: ['10.0.0.8'] }));
  assert.deepEqual(admitted(await stream.message(1)), ['10.0.0.7/32', '10.0.0.8/32']);
  assert.equal(stream.messages.length, 2);
  // Once for the relisted policy, once for the pod; joined in one burst or not.
  assert.ok(watch.load.compiled - compiled <= 2, `${watch.load.compiled - compiled} rows compiled`);
});

test('an address that passes to another pod leaves the old grants in the very message', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(backend, frontend, policy);
  followSource(source);
  const stream = watchPort(client);
  assert.deepEqual(admitted(await stream.message(0)), ['10.0.0.7/32']);
  // The watch has not told yet that frontend-0 is gone.
  source.put(aPod({ name: 'intruder', labels: { app: 'intruder' }, ips: ['10.0.0.7'], createdAt: 1 }));
  assert.deepEqual(admitted(await stream.message(1)), []);
});

test('a stream ends with OK when its pod is deleted, and when another takes its name', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(backend);
  followSource(source);
  const first = watchPort(client);
  await first.message(0);
  source.put(aPod({ name: 'backend-0', uid: 'another', labels: { app: 'backend' } }));
  assert.equal(await first.ended, undefined);
  const second = watchPort(client);
  await second.message(0);
  source.remove(aPod({ name: 'backend-0', uid: 'another' }));
  assert.equal(await second.ended, undefined);
  const third = watchPort(client);
  assert.equal((await third.ended)?.code, 'not-found');
});

test('before the first full list every question is put off, never answered from half the cluster', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  assert.equal((await watchPort(client).ended)?.code, 'unavailable');
  const request = PortSpec.encode({ workload, port: 8080 }).finish();
  await assert.rejects(client.unary(`${inboundService}/GetPort`, request), { code: 'unavailable' });
  followSource(new FakeSource(backend));
  assert.deepEqual(admitted(await watchPort(client).message(0)), []);
  assert.deepEqual(admitted(decodeServer(await client.unary(`${inboundService}/GetPort`, request))), []);
});

/** What is asked, and the code of the answer (`contract/linkerd-semantics.md` §2.1). */
const questions: readonly (readonly [string, number, string])[] = [
  [workload, 8080, 'ok'],
  ['{"ns":"demo","pod":"backend-0"}', 8080, 'ok'],
  ['demo:backend-0', 8080, 'ok'],
  ['demo:backend-0\n', 1, 'ok'],
  ['demo:backend-0', 65_535, 'ok'],
  ['demo:backend-0', 0, 'invalid-argument'],
  ['demo:backend-0', 70_000, 'invalid-argument'],
  ['', 8080, 'invalid-argument'],
  ['backend-0', 8080, 'invalid-argument'],
  [':backend-0', 8080, 'invalid-argument'],
  ['demo:', 8080, 'invalid-argument'],
  ['{"ns":"demo"', 8080, 'invalid-argument'],
  ['{"ns":"demo"}', 8080, 'invalid-argument'],
  ['{"ns":"demo","pod":7}', 8080, 'invalid-argument'],
  ['{"ns":7,"pod":"backend-0"}', 8080, 'invalid-argument'],
  ['{"ns":"demo","pod":"backend-0","external_workload":"vm"}', 8080, 'invalid-argument'],
  ['{"ns":"demo","pod":"backend-0","color":"blue"}', 8080, 'ok'],
  ['{"ns":"demo","pod":""}', 8080, 'not-found'],
  ['{"ns":"demo","external_workload":"vm"}', 8080, 'not-found'],
  ['{"ns":"demo","pod":"nobody"}', 8080, 'not-found'],
  ['nowhere:backend-0', 8080, 'not-found'],
  ['demo:unmeshed', 8080, 'not-found'],
  ['demo:backend-0:8080', 8080, 'not-found'],
];

test('only what can never become right is InvalidArgument; what is unknown is NotFound and asked again', async (t) => {
  assert.equal(questions.length, 23);
  const { client, follow: followSource } = await aServedPolicy(t);
  followSource(new FakeSource(backend, aPod({ name: 'unmeshed', meshed: false })));
  for (const [text, port, code] of questions) {
    const about = `${text} ${port}`;
    const stream = watchPort(client, { workload: text, port });
    if (code === 'ok') await stream.message(0);
    else assert.equal((await stream.ended)?.code, code, about);
    stream.cancel();
    const request = PortSpec.encode({ workload: text, port }).finish();
    const answer = client.unary(`${inboundService}/GetPort`, request);
    if (code === 'ok') await answer;
    else await assert.rejects(answer, { code }, about);
  }
});

test('bytes that are no PortSpec are refused, and the service goes on', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  followSource(new FakeSource(backend));
  await assert.rejects(client.unary(`${inboundService}/GetPort`, Uint8Array.of(0xff)), {
    code: 'invalid-argument',
  });
  const stream = watchPort(client);
  await stream.message(0);
});
