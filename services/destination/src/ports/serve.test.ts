import assert from 'node:assert/strict';
import test from 'node:test';
import { aNode, aPod } from '@gatehouse/testing/builders';
import { aDestination, admitted } from '../../testing/a-destination.ts';
import type { FakeCall } from '../../testing/fake-call.ts';
import { backend, listed, pod, service } from '../../testing/listed-destination.ts';
import { ProxyModel } from '../../testing/proxy-model.ts';

/** What a proxy makes of what the call was sent since the model last looked. */
const follow = (call: FakeCall) => {
  const model = new ProxyModel();
  let taken = 0;
  return {
    model,
    /** Returns how many messages were new. */
    look: (): number => {
      const fresh = call.messages.slice(taken);
      for (const message of fresh) model.take(message);
      taken = call.messages.length;
      return fresh.length;
    },
  };
};

test('until every kind is listed nobody is told anything, not even that something does not exist', async () => {
  const { ask, start, stop, server } = aDestination(service(), pod(1));
  for (const method of ['Get', 'GetProfile'] as const) {
    assert.equal(codeOf(ask(method, { path: backend })), 'unavailable');
    assert.equal(codeOf(ask(method, { path: 'not a path' })), 'unavailable');
  }
  start();
  const call = ask('Get', { path: backend });
  await admitted(server);
  assert.equal(call.messages.length, 1);
  call.cancel();
  stop();
});

const codeOf = (call: FakeCall): string | undefined =>
  call.ended === undefined || call.ended === 'ok' ? call.ended : call.ended.code;

const alias = service({ name: 'alias', type: 'ExternalName', clusterIps: [] });

const refusals: readonly (readonly ['Get' | 'GetProfile', string, string, string])[] = [
  ['Get', 'backend.demo:80', 'invalid-argument', 'Invalid authority: backend.demo:80'],
  [
    'Get',
    'backend.demo.svc.cluster.local:0',
    'invalid-argument',
    'Invalid authority: backend.demo.svc.cluster.local:0',
  ],
  ['Get', '10.1.0.1:80', 'invalid-argument', 'IP queries not supported by Get API: host=10.1.0.1'],
  [
    'Get',
    'alias.demo.svc.cluster.local:80',
    'invalid-argument',
    'alias.demo.svc.cluster.local:80 is an ExternalName, which has no endpoints',
  ],
  ['GetProfile', 'example.org:443', 'invalid-argument', 'invalid authority: example.org:443'],
  ['GetProfile', '10.1.0.1:99999', 'invalid-argument', 'invalid authority: 10.1.0.1:99999'],
  [
    'GetProfile',
    'alias.demo.svc.cluster.local:80',
    'invalid-argument',
    'alias.demo.svc.cluster.local:80 is an ExternalName, which has no endpoints',
  ],
  [
    'GetProfile',
    'backend-9.backend.demo.svc.cluster.local:80',
    'not-found',
    'backend-9.backend.demo.svc.cluster.local:80 is not an instance of its Service',
  ],
];

test('what cannot be answered is refused with the code that the proxy draws the right conclusion from', async (t) => {
  assert.equal(refusals.length, 8);
  const { open, watch, server } = listed(t, service(), pod(1), alias);
  for (const [method, path, code, message] of refusals) {
    const call = await open(method, { path });
    assert.deepEqual(call.ended, { code, message }, `${method} ${path}`);
    assert.equal(call.messages.length, 0);
  }
  assert.equal(watch.answers.kinds.size, 0);
  assert.deepEqual([...server.streams.facts()], []);
});

test('bytes that are no request are refused', async (t) => {
  const { askRaw } = listed(t);
  assert.equal(codeOf(askRaw('Get', Uint8Array.of(0xff, 0xff, 0xff))), 'invalid-argument');
  assert.equal(codeOf(askRaw('GetProfile', new Uint8Array())), 'invalid-argument');
});

test('the first message is the whole set, and later ones are what changed', async (t) => {
  const { open, source } = listed(t, service(), pod(1), pod(2));
  const call = await open('Get', { path: backend });
  const { model, look } = follow(call);
  assert.equal(look(), 1);
  assert.deepEqual(model.keys, ['10.1.0.1 8080', '10.1.0.2 8080']);

  source.put(pod(3));
  assert.equal(look(), 1);
  assert.equal(model.keys.length, 3);

  source.put(pod(1, { labels: { 'nobody-looks': 'at this' } }));
  assert.equal(look(), 0);

  source.put(pod(1, { meshed: false }));
  assert.equal(look(), 1);
  assert.equal(model.pool.get('10.1.0.1 8080')?.tlsIdentity, undefined);
  assert.notEqual(model.pool.get('10.1.0.2 8080')?.tlsIdentity, undefined);

  source.put(pod(2, { ready: false }));
  assert.equal(look(), 1);
  assert.deepEqual(model.keys, ['10.1.0.1 8080', '10.1.0.3 8080']);

  source.relist('Pod', pod(4));
  assert.equal(look(), 2, 'one addition and one removal');
  assert.deepEqual(model.keys, ['10.1.0.4 8080']);
  assert.equal(call.ended, undefined);
});

test('a Service without endpoints is answered at once, and an unknown one keeps its stream until it is made', async (t) => {
  const { open, source } = listed(t, service());
  const { model, look } = follow(await open('Get', { path: backend }));
  look();
  assert.equal(model.state, 'exists');
  source.put(pod(1));
  look();
  assert.equal(model.keys.length, 1);
  source.remove(service());
  look();
  assert.deepEqual([model.state, model.keys], ['none', []]);

  const other = await open('Get', { path: 'later.demo.svc.cluster.local:80' });
  const later = follow(other);
  later.look();
  assert.equal(later.model.state, 'none');
  source.put(service({ name: 'later', selector: { app: 'backend' } }));
  later.look();
  assert.deepEqual([later.model.state, later.model.keys], ['exists', ['10.1.0.1 8080']]);
  assert.equal(other.ended, undefined);
});

test('a Service that becomes an alias empties the streams that are open', async (t) => {
  const { open, source } = listed(t, service(), pod(1));
  const { model, look } = follow(await open('Get', { path: backend }));
  source.put(service({ type: 'ExternalName', clusterIps: [] }));
  look();
  assert.deepEqual([model.state, model.keys], ['exists', []]);
});

test('an address says what its labels, weight, identity and hints are', async (t) => {
  const { open } = listed(t, service(), pod(1, { nodeName: 'n1' }), aNode({ name: 'n1', zone: 'a' }));
  const { model, look } = follow(
    await open('Get', { path: backend, contextToken: '{"ns":"demo","nodeName":"n1"}' }),
  );
  look();
  const name = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';
  assert.deepEqual(model.pool.get('10.1.0.1 8080'), {
    addr: { ip: { ip: { $case: 'ipv4', value: 0x0a010001 } }, port: 8080 },
    weight: 10_000,
    metricLabels: {
      service: 'backend',
      namespace: 'demo',
      pod: 'backend-1',
      serviceaccount: 'default',
      control_plane_ns: 'gatehouse',
      zone: 'a',
      zone_locality: 'local',
    },
    tlsIdentity: { strategy: { $case: 'dnsLikeIdentity', value: { name } }, serverName: { name } },
    protocolHint: { protocol: { $case: 'h2', value: {} }, opaqueTransport: { inboundPort: 4143 } },
    authorityOverride: undefined,
    http2: {
      flowControl: undefined,
      keepAlive: {
        interval: { seconds: 10n, nanos: 0 },
        timeout: { seconds: 3n, nanos: 0 },
        whileIdle: true,
      },
      internals: undefined,
    },
    resourceRef: undefined,
  });
});

test('a client whose node is moved to another zone is told again what is local to it', async (t) => {
  const { open, source } = listed(
    t,
    service(),
    pod(1, { nodeName: 'n1' }),
    aNode({ name: 'n1', zone: 'a' }),
    aNode({ name: 'n2', zone: 'a' }),
    aPod({ name: 'frontend', nodeName: 'n2' }),
  );
  const { model, look } = follow(
    await open('Get', { path: backend, contextToken: '{"ns":"demo","pod":"frontend"}' }),
  );
  look();
  const locality = () => model.pool.get('10.1.0.1 8080')?.metricLabels.zone_locality;
  assert.equal(locality(), 'local');
  source.put(aNode({ name: 'n2', zone: 'b' }));
  look();
  assert.equal(locality(), 'remote');
  source.put(aNode({ name: 'n2', zone: 'b', ips: ['10.9.9.9'] }));
  assert.equal(look(), 0);
});

test('clients that are told the same get the same bytes, written once', async (t) => {
  const { open, source, server } = listed(
    t,
    service(),
    ...Array.from({ length: 100 }, (_, index) => pod(index)),
  );
  const calls = [];
  for (let index = 0; index < 5; index += 1) calls.push(await open('Get', { path: backend }));
  assert.equal(server.load.firstBuilds, 1);
  source.put(pod(100));
  for (const call of calls) {
    assert.equal(call.messages.length, 2);
    assert.equal(call.messages[0], calls[0]?.messages[0]);
    assert.equal(call.messages[1], calls[0]?.messages[1]);
  }
});

test('a client that does not read misses what came in between, is sent one difference, and keeps its stream', async (t) => {
  const { open, source } = listed(t, service(), pod(1), pod(2));
  const call = await open('Get', { path: backend });
  const { model, look } = follow(call);
  look();
  call.reads = false;
  source.put(pod(3));
  assert.equal(look(), 1);
  for (let index = 4; index < 104; index += 1) source.put(pod(index));
  source.remove(pod(1));
  source.put(pod(2, { meshed: false }));
  source.remove(pod(50));
  assert.equal(look(), 0);
  call.reads = true;
  call.drain();
  assert.equal(look(), 2, 'one addition and one removal');
  assert.equal(model.keys.length, 101);
  assert.equal(model.pool.get('10.1.0.2 8080')?.tlsIdentity, undefined);
  assert.equal(call.ended, undefined);
});

test('a set beyond what a proxy takes in one message is split, in the order of addresses, and read at the pace of the client', async (t) => {
  const many = Array.from({ length: 14_000 }, (_, index) => pod(index));
  const { open, source } = listed(t, service(), ...many);
  const call = await open('Get', { path: backend });
  const { model, look } = follow(call);
  const parts = look();
  assert.ok(parts > 1, `${parts} messages`);
  assert.equal(model.keys.length, 14_000);
  call.reads = false;
  source.relist(
    'Pod',
    ...many.slice(0, 13_000).map(({ meta }, index) => pod(index, { ...meta, meshed: false })),
  );
  call.drain();
  call.drain();
  source.relist('Pod', ...many.slice(0, 9_000));
  for (let drained = 0; drained < 10; drained += 1) call.drain();
  look();
  assert.deepEqual(model.keys.length, 9_000);
  assert.notEqual(model.pool.get('10.1.0.1 8080')?.tlsIdentity, undefined);
});

test('a stream that is over is forgotten, and so are its answers', async (t) => {
  const { open, watch, server, source } = listed(t, service(), pod(1));
  const calls = [
    await open('Get', { path: backend }),
    await open('GetProfile', { path: '10.1.0.1:8080' }),
    await open('GetProfile', { path: backend }),
  ];
  assert.equal([...server.streams.facts()].length, 3);
  for (const call of calls) call.cancel();
  assert.equal(watch.answers.kinds.size, 0);
  assert.equal([...server.streams.facts()].length, 0);
  source.put(pod(2));
  assert.deepEqual(
    calls.map(({ messages }) => messages.length),
    [1, 1, 1],
  );
});

test('a client that leaves while it is queued is sent nothing', async (t) => {
  const { ask, server, watch } = listed(t, service(), pod(1));
  const call = ask('Get', { path: backend });
  call.cancel();
  await admitted(server);
  assert.deepEqual([call.messages.length, watch.answers.kinds.size], [0, 0]);
});

test('a change before the first message is in the first message', async (t) => {
  const { ask, server, source } = listed(t, service(), pod(1));
  const call = ask('Get', { path: backend });
  source.put(pod(2));
  assert.equal(call.messages.length, 0);
  await admitted(server);
  const { model, look } = follow(call);
  assert.equal(look(), 1);
  assert.equal(model.keys.length, 2);
});

test('what is open says who asks what, and what it was sent', async (t) => {
  const { open, server, source } = listed(t, service(), pod(1));
  const [one, two] = [await open('Get', { path: backend }), await open('Get', { path: backend })];
  const versions = () => [...server.streams.facts()].map(({ version }) => version);
  const [first, same] = versions();
  assert.match(first ?? '', /^[0-9a-f]{32}$/);
  assert.equal(first, same);
  two.reads = false;
  source.put(pod(2));
  source.put(pod(3));
  const [newest, behind] = versions();
  assert.notEqual(newest, first);
  assert.notEqual(behind, newest);
  two.drain();
  assert.deepEqual(versions(), [newest, newest]);
  one.cancel();
  assert.deepEqual(
    [...server.streams.facts()],
    [
      {
        id: '2',
        method: 'Destination/Get',
        target: 'backend.demo.svc.cluster.local:80',
        peer: '10.1.0.9:40000',
        identity: undefined,
        claimedNamespace: undefined,
        openedAt: 1_700_000_000_000,
        version: newest,
        sentAt: 1_700_000_000_000,
        sentBytes: two.messages.reduce((sum, { length }) => sum + length, 0),
        pending: 'unread',
        deliveredVersion: behind,
        deliveredAt: 1_700_000_000_000,
      },
    ],
  );
});
