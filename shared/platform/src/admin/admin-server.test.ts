import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { release } from '@gatehouse/core/release';
import { ask, now, startedAdmin, things, token } from '@gatehouse/testing/started-admin';
import { someStreamFacts } from '@gatehouse/testing/stream-facts';
import type { KindHealth } from '../kube/source.ts';
import type { StreamFacts } from './streams.ts';

test('/ready is 503 with the reasons until there are none; /live is always 200', async (t) => {
  let reasons = ['no usable issuer'];
  let kinds: KindHealth[] = [
    { kind: 'Pod', synced: false, staleMs: undefined },
    { kind: 'Server', synced: true, staleMs: 1_500 },
  ];
  const admin = await startedAdmin(t, { reasons: () => reasons, source: { health: () => kinds } });
  const before = await ask(`${admin.url}/ready`);
  assert.deepEqual([before.status, before.text], [503, 'no usable issuer\nnot read yet: Pod\n']);
  assert.deepEqual((await ask(`${admin.url}/v1/health`, { token })).json, {
    service: 'policy',
    version: release,
    ready: false,
    reasons: ['no usable issuer', 'not read yet: Pod'],
    warnings: [],
    kinds: [
      { kind: 'Pod', synced: false, aliveAt: null, stalenessSeconds: null },
      { kind: 'Server', synced: true, aliveAt: '2026-05-01T11:59:58.500Z', stalenessSeconds: 1.5 },
    ],
    replicas: { self: 'policy-0', others: [], problem: null },
  });
  assert.equal((await ask(`${admin.url}/live`)).status, 200);
  reasons = [];
  kinds = kinds.map((kind) => ({ ...kind, synced: true }));
  const after = await ask(`${admin.url}/ready`);
  assert.deepEqual([after.status, after.text], [200, 'ready\n']);
});

test('before the watch has begun nothing is ready', async (t) => {
  const admin = await startedAdmin(t, { source: { health: () => [] } });
  const answer = await ask(`${admin.url}/ready`);
  assert.deepEqual([answer.status, answer.text], [503, 'the watch has not begun\n']);
});

test('a service that watches nothing waits for no watch', async (t) => {
  const admin = await startedAdmin(t, { source: 'watches nothing' });
  assert.equal((await ask(`${admin.url}/ready`)).status, 200);
  const { json } = await ask(`${admin.url}/v1/health`, { token });
  assert.deepEqual([json.ready, json.kinds], [true, []]);
});

test('staleness never takes readiness away', async (t) => {
  const source = { health: (): KindHealth[] => [{ kind: 'Pod', synced: true, staleMs: 3_600_000 }] };
  const admin = await startedAdmin(t, { source });
  assert.equal((await ask(`${admin.url}/ready`)).status, 200);
  const { json } = await ask(`${admin.url}/v1/health`, { token });
  assert.deepEqual([json.ready, json.kinds[0].stalenessSeconds], [true, 3600]);
});

test('/v1/streams says who is connected, what each was sent and when, and what it has read', async (t) => {
  const stream: StreamFacts = {
    id: '7',
    method: 'InboundServerPolicies/WatchPort',
    target: 'demo/backend-0:8080',
    peer: '127.64.0.1:4000',
    identity: parseIdentity('default.demo.serviceaccount.identity.gatehouse.cluster.local'),
    claimedNamespace: 'other',
    openedAt: now - 1_000,
    version: 'abc',
    sentAt: now,
    sentBytes: 170,
    pending: 'unanswered',
    deliveredVersion: 'abb',
    deliveredAt: now - 500,
  };
  const silent = someStreamFacts({ id: '8', claimedNamespace: 'other', openedAt: now - 1_000 });
  const admin = await startedAdmin(t, { streams: () => [silent, stream] });
  const { json } = await ask(`${admin.url}/v1/streams?limit=1`, { token });
  const { claimedNamespace: _, ...same } = stream;
  assert.deepEqual(json.items, [
    {
      ...same,
      identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
      namespace: 'demo',
      openedAt: '2026-05-01T11:59:59.000Z',
      sentAt: '2026-05-01T12:00:00.000Z',
      deliveredAt: '2026-05-01T11:59:59.500Z',
      replica: 'policy-0',
    },
  ]);
  assert.deepEqual(json.partial, []);
  const next = await ask(`${admin.url}/v1/streams?continue=${json.continue}`, { token });
  assert.deepEqual(next.json, {
    items: [
      {
        id: '8',
        method: 'Destination/Get',
        target: 'backend.demo:80',
        peer: '10.0.0.1:4000',
        identity: null,
        namespace: 'other',
        openedAt: '2026-05-01T11:59:59.000Z',
        version: null,
        sentAt: null,
        sentBytes: 0,
        pending: 'nothing',
        deliveredVersion: null,
        deliveredAt: null,
        replica: 'policy-0',
      },
    ],
    partial: [],
  });
});

test('the OpenAPI document is 3.1 and names every /v1 path, its parameters and its errors', async (t) => {
  const admin = await startedAdmin(t, { routes: things });
  const { json } = await ask(`${admin.url}/v1/openapi.json`, { token });
  assert.equal(json.openapi, '3.1.0');
  assert.deepEqual(Object.keys(json.paths).sort(), [
    '/v1/broken',
    '/v1/health',
    '/v1/missing',
    '/v1/openapi.json',
    '/v1/streams',
    '/v1/things',
    '/v1/things/{namespace}',
  ]);
  const { get } = json.paths['/v1/things/{namespace}'];
  assert.deepEqual(
    get.parameters.map(({ name, in: where, required }: Record<string, unknown>) => ({
      name,
      where,
      required,
    })),
    [
      { name: 'limit', where: 'query', required: false },
      { name: 'continue', where: 'query', required: false },
      { name: 'namespace', where: 'path', required: true },
    ],
  );
  assert.ok(get.responses.default.content['application/problem+json']);
  assert.deepEqual(json.security, [{ bearer: [] }]);
});

test('/metrics counts requests by route, and an unknown path makes no series of its own', async (t) => {
  const admin = await startedAdmin(t, { routes: things });
  await ask(`${admin.url}/v1/things/demo`, { token });
  await ask(`${admin.url}/v1/scan-${Math.random()}`, { token });
  const { text, headers } = await ask(`${admin.url}/metrics`);
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const series = text.split('\n').filter((line) => line.startsWith('gatehouse_admin_requests_total{'));
  assert.deepEqual(series, [
    'gatehouse_admin_requests_total{method="GET",route="/v1/things/:namespace",status="200",service="policy"} 1',
    'gatehouse_admin_requests_total{method="GET",route="none",status="404",service="policy"} 1',
  ]);
});

test('a port in use is refused with the setting to change', async (t) => {
  const first = await startedAdmin(t);
  const port = Number(new URL(first.url).port);
  await assert.rejects(startedAdmin(t, { address: { host: '127.0.0.1', port } }), {
    code: 'failed-precondition',
    message: `127.0.0.1:${port} is in use: end the process that listens there, or choose another (GATEHOUSE_ADMIN_ADDR)`,
  });
});
