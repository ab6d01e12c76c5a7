import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceParts } from '@gatehouse/platform/service/service-base';
import { aPod, aService } from '@gatehouse/testing/builders';
import { fakeIdentity } from '@gatehouse/testing/fake-identity';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient, aGrpcServer, eventually, portOf } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { DestinationProfile, GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';

import { ProxyModel } from '../testing/proxy-model.ts';
import { readDestinationConfig } from './config.ts';
import { startDestination } from './service.ts';

const service = '/io.linkerd.proxy.destination.Destination';

/** A state directory, a folder of manifests, and services on them that end with the test. */
const aPlace = async (t: TestContext) => {
  const root = await temporaryFolder(t);
  const [state, manifests] = [join(root, 'state'), join(root, 'manifests')];
  for (const path of [state, manifests]) await mkdir(path);
  const start = async (env: NodeJS.ProcessEnv = {}, parts: ServiceParts = {}): Promise<RunningService> => {
    const config = readDestinationConfig({
      GATEHOUSE_SOURCE: `directory:${manifests}`,
      GATEHOUSE_STATE_DIR: state,
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
      ...env,
    });
    const running = await startDestination(config, { log: silentLog, ...parts });
    t.after(() => running.stop('the test is over'));
    return running;
  };
  return { state, manifests, start };
};

const request = (path: string): Uint8Array =>
  GetDestination.encode({ scheme: '', path, contextToken: '' }).finish();

/** A proxy that follows a Get stream. */
const get = (client: GrpcClient, path: string) => {
  const model = new ProxyModel();
  let ended: GatehouseError | 'ok' | undefined;
  client.serverStream(`${service}/Get`, request(path), {
    onMessage: (message) => model.take(message),
    onEnd: (error) => {
      ended = error ?? 'ok';
    },
  });
  return {
    model,
    end: async () => {
      await eventually(() => ended !== undefined);
      return ended;
    },
    /** Waits for the model to become so; fails when the stream ends before. */
    until: async (holds: () => boolean) => {
      await eventually(() => ended !== undefined || holds());
      assert.equal(ended, undefined);
    },
  };
};

const backend = (replicas: number) => `
apiVersion: v1
kind: Namespace
metadata: { name: demo, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: backend, namespace: demo }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: backend } }
  template:
    metadata: { labels: { app: backend } }
    spec: { containers: [ { name: app, ports: [ { name: http, containerPort: 8080 } ] } ] }
`;

const backendService = `
apiVersion: v1
kind: Service
metadata: { name: backend, namespace: demo }
spec: { selector: { app: backend }, ports: [ { name: http, port: 80, targetPort: http } ] }
`;

test("pods that are added, changed and removed in the folder reach a proxy's open streams", async (t) => {
  const { manifests, start } = await aPlace(t);
  await writeFile(join(manifests, 'backend.yaml'), backend(2));
  const { grpc, admin } = await start();
  const client = aGrpcClient(t, { address: grpc });
  await until(async () => (await ask(`${admin}/ready`)).status === 200);
  const { model, until: becomes } = get(client, 'backend.demo.svc.cluster.local:80');
  await becomes(() => model.state === 'none');

  await writeFile(join(manifests, 'service.yaml'), backendService);
  await becomes(() => model.pool.size === 2);
  await writeFile(join(manifests, 'backend.yaml'), backend(5));
  await becomes(() => model.pool.size === 5);
  for (const { tlsIdentity } of model.pool.values()) assert.notEqual(tlsIdentity, undefined);
  await writeFile(join(manifests, 'backend.yaml'), backend(1).replace('enabled', 'disabled'));
  await becomes(() => model.pool.size === 1 && model.keys.every((key) => !isMeshed(model, key)));
  await rm(join(manifests, 'service.yaml'));
  await becomes(() => model.state === 'none');
});

const isMeshed = (model: ProxyModel, key: string): boolean => model.pool.get(key)?.tlsIdentity !== undefined;

test('over a real connection, statuses and profiles arrive as they were meant', async (t) => {
  const pod = aPod({ name: 'backend-0', ips: ['10.1.0.1'], labels: { app: 'backend' } });
  const alias = aService({ name: 'alias', type: 'ExternalName', clusterIps: [] });
  const source = new FakeSource(aService({ name: 'backend' }), alias, pod);
  const { start } = await aPlace(t);
  const { grpc, admin } = await start({}, { source });
  const client = aGrpcClient(t, { address: grpc });
  const refused = get(client, 'backend.demo:80');
  const error = await refused.end();
  assert.ok(error instanceof GatehouseError);
  assert.deepEqual([error.code, error.message], ['invalid-argument', 'Invalid authority: backend.demo:80']);

  const aliased = await get(client, 'alias.demo.svc.cluster.local:80').end();
  assert.equal(aliased instanceof GatehouseError && aliased.code, 'invalid-argument');
  const { text } = await ask(`${admin}/metrics`);
  assert.match(text, /gatehouse_destination_streams\{method="Destination\/Get"[^}]*\} 0\n/);
  assert.doesNotMatch(text, /gatehouse_destination_answers\{/, 'a refused call leaves nothing behind');

  const profiles: DestinationProfile[] = [];
  const cancel = client.serverStream(`${service}/GetProfile`, request('10.1.0.1:8080'), {
    onMessage: (message) => profiles.push(DestinationProfile.decode(message)),
    onEnd: (end) => assert.fail(end),
  });
  await eventually(() => profiles.length === 1);
  source.put(aPod({ ...pod.meta, ...pod.spec, name: 'backend-0', serviceAccount: 'web' }));
  await eventually(() => profiles.length === 2);
  assert.deepEqual(
    profiles.map(({ endpoint }) => endpoint?.metricLabels.serviceaccount),
    ['default', 'web'],
  );
  cancel();
});

test('proxies are served TLS with a leaf from identity, under the mesh name of destination', async (t) => {
  const { state, start } = await aPlace(t);
  const authority = anAuthority();
  // Glued on one line, as shells join files: OpenSSL alone would read the first certificate only.
  await writeFile(
    join(state, 'trust-anchors.crt'),
    anAuthority({ name: 'another' }).pem.trimEnd() + authority.pem,
  );
  const identityName = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
  const identity = await aGrpcServer(t, {
    methods: fakeIdentity(authority),
    tls: { material: aTlsMaterial(authority, { name: identityName }) },
  });
  const running = await start(
    { GATEHOUSE_GRPC_TLS: 'always', GATEHOUSE_IDENTITY_ADDR: `127.0.0.1:${portOf(identity)}` },
    { source: new FakeSource(aService({ name: 'backend' })) },
  );
  assert.equal(
    running.name,
    'gatehouse-destination.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
  );
  await until(async () => (await ask(`${running.admin}/ready`)).status === 200);
  const client = aGrpcClient(
    t,
    { address: running.grpc },
    { serverName: running.name, trustAnchors: authority.pem },
  );
  const { model, until: becomes } = get(client, 'backend.demo.svc.cluster.local:80');
  await becomes(() => model.state === 'exists');
});

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
};

test('without a leaf destination is not ready and says why', async (t) => {
  const { state, start } = await aPlace(t);
  await writeFile(join(state, 'trust-anchors.crt'), anAuthority().pem);
  const running = await start(
    { GATEHOUSE_GRPC_TLS: 'always', GATEHOUSE_IDENTITY_ADDR: '127.0.0.1:1' },
    { source: new FakeSource() },
  );
  const answer = await ask(`${running.admin}/ready`);
  assert.equal(answer.status, 503);
  assert.match(answer.text, /no serving certificate yet/);
});

test('the REST API lists Services and endpoints, resolves authorities, and asks for the token everywhere', async (t) => {
  const { state, start } = await aPlace(t);
  const source = new FakeSource(
    aService({ name: 'backend' }),
    aService({ name: 'web', namespace: 'shop', clusterIps: [], ports: [] }),
    ...[1, 2, 3].map((index) =>
      aPod({ name: `b-${index}`, ips: [`10.1.0.${index}`], labels: { app: 'backend' } }),
    ),
  );
  const { admin, grpc } = await start({}, { source });
  const token = (await readFile(join(state, 'admin-token'), 'utf8')).trim();
  const read = async (path: string) => ask(`${admin}${path}`, { token });

  const services = await read('/v1/services');
  assert.deepEqual(
    services.json.items.map(({ authority }: { authority: string }) => authority),
    ['backend.demo.svc.cluster.local', 'web.shop.svc.cluster.local'],
  );
  assert.equal((await read('/v1/services?namespace=shop')).json.items.length, 1);

  const first = await read('/v1/services/demo/backend/endpoints?limit=2');
  const rest = await read(`/v1/services/demo/backend/endpoints?limit=2&continue=${first.json.continue}`);
  assert.deepEqual(
    [...first.json.items, ...rest.json.items].map(
      ({ ip, port }: { ip: string; port: number }) => `${ip} ${port}`,
    ),
    ['10.1.0.1 8080', '10.1.0.2 8080', '10.1.0.3 8080'],
  );
  assert.equal(rest.json.continue, undefined);

  const resolved = await read('/v1/resolve?authority=backend.demo.svc.cluster.local:80&from=demo/b-1');
  assert.equal(resolved.json.get.endpoints.length, 3);
  assert.equal(resolved.json.profile.name, 'backend.demo.svc.cluster.local');
  const address = await read('/v1/resolve?authority=10.1.0.2:8080');
  assert.deepEqual([address.json.get, address.json.profile.endpoint.labels.pod], [null, 'b-2']);
  for (const short of ['backend', 'backend:80', 'backend.demo', 'backend.demo.svc:80'])
    assert.equal(
      (await read(`/v1/resolve?authority=${short}&from=demo/b-1`)).json.target,
      'backend.demo.svc.cluster.local:80',
      short,
    );
  // People copy what was printed.
  for (const { json } of [resolved, address]) {
    const again = await read(
      `/v1/resolve?authority=${json.target}${json.get === null ? '' : '&from=demo/b-1'}`,
    );
    assert.deepEqual(again.json, json);
  }

  const { model, until: becomes } = get(
    aGrpcClient(t, { address: grpc }),
    'backend.demo.svc.cluster.local:80',
  );
  await becomes(() => model.pool.size === 3);
  const [stream] = (await read('/v1/streams')).json.items;
  assert.deepEqual([stream.method, stream.target], ['Destination/Get', 'backend.demo.svc.cluster.local:80']);
  assert.match(
    (await ask(`${admin}/metrics`)).text,
    /gatehouse_destination_streams\{method="Destination\/Get"[^}]*\} 1\n/,
  );

  const problems: readonly (readonly [string, number, RegExp])[] = [
    ['/v1/services/demo/none/endpoints', 404, /no Service demo\/none/],
    ['/v1/services/shop/web/endpoints', 400, /declares no port/],
    ['/v1/services/demo/backend/endpoints?port=0', 400, /port/],
    ['/v1/services/demo/backend/endpoints?port=70000', 400, /port/],
    ['/v1/resolve', 400, /authority/],
    ['/v1/resolve?authority=backend.example.com', 400, /`backend.example.com` names no Service/],
    ['/v1/resolve?authority=web.shop', 400, /declares no port/],
    ['/v1/resolve?authority=10.1.0.1:1&from=demo', 400, /namespace\/pod/],
    ['/v1/resolve?authority=10.1.0.1:1&from=demo/none', 404, /`from`: the pod demo\/none is not found/],
  ];
  assert.equal(problems.length, 9);
  for (const [path, status, detail] of problems) {
    const answer = await read(path);
    assert.equal(answer.status, status, path);
    assert.match(answer.json.detail, detail);
    assert.equal((await ask(`${admin}${path}`)).status, 401, path);
  }
});

test('a start that cannot be is refused with what to do, and leaves nothing open', async (t) => {
  assert.throws(() => readDestinationConfig({ GATEHOUSE_SOURCE: 'cluster' }), /GATEHOUSE_SOURCE/);
  assert.throws(
    () => readDestinationConfig({ GATEHOUSE_SOURCE: 'directory:/x', GATEHOUSE_DEFAULT_OPAQUE_PORTS: '0' }),
    /GATEHOUSE_DEFAULT_OPAQUE_PORTS/,
  );
  const { state, start } = await aPlace(t);
  await assert.rejects(start({ GATEHOUSE_STATE_DIR: join(state, 'none') }), /GATEHOUSE_STATE_DIR/);
  await assert.rejects(
    start({ GATEHOUSE_SOURCE: 'kubernetes', KUBECONFIG: join(state, 'none') }),
    /none \(KUBECONFIG\) cannot be used: there is no such file/,
  );
  const first = await start();
  await assert.rejects(start(), { code: 'already-exists' });
  await first.stop('to try the next');
  const taken = await aGrpcServer(t, { methods: {} });
  await assert.rejects(start({ GATEHOUSE_GRPC_ADDR: `127.0.0.1:${portOf(taken)}` }), /GATEHOUSE_GRPC_ADDR/);
  await start();
});

test('the end sends proxies away and frees the state directory', async (t) => {
  const { start } = await aPlace(t);
  const running = await start({}, { source: new FakeSource(aService({ name: 'backend' })) });
  const client = aGrpcClient(t, { address: running.grpc });
  const stream = get(client, 'backend.demo.svc.cluster.local:80');
  await stream.until(() => stream.model.state === 'exists');
  await running.stop('enough');
  await stream.end();
  assert.deepEqual(await running.ended, { kind: 'stopped', reason: 'enough' });
  await start();
});
