import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { anAuthority } from '@gatehouse/dev/certificates';
import { watch } from '@gatehouse/platform/grpc/watch';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import { aCertifyServer } from '@gatehouse/testing/certify-server';
import { aGrpcClient, eventually } from '@gatehouse/testing/grpc';
import { sliceOf } from '@gatehouse/testing/replica-set';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { readPolicyConfig } from './config.ts';
import { startPolicy } from './service.ts';

interface Replica {
  readonly pod: string;
  readonly running: RunningService;
  /** Opens a stream as the proxy of demo/NAME would. */
  watch(name: string): void;
}

/** Replicas of policy that obtain their leaves from identity and find each other through the API server. */
const replicas = async (
  t: TestContext,
): Promise<{ readonly both: readonly [Replica, Replica]; readonly token: string }> => {
  const api = await startFakeApiServer();
  t.after(() => api.stop());
  api.put(aWireObject('Namespace', { name: 'demo' }), aWireObject('Namespace', { name: 'gatehouse' }));
  api.put(aWireObject('ServiceAccount', { namespace: 'gatehouse', name: 'admin' }));
  for (const name of ['web-0', 'web-1', 'web-2']) {
    const labels = { 'linkerd.io/control-plane-ns': 'gatehouse' };
    const spec = { containers: [{ name: 'web', image: 'web', ports: [{ containerPort: 8080 }] }] };
    api.put(aWireObject('Pod', { name, metadata: { labels }, spec }));
  }
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  const serverName = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
  const { server } = await aCertifyServer(t, { root, issuer, serverName });
  const folder = await temporaryFolder(t);
  const file = (name: string): string => join(folder, name);
  await api.kubeconfig(file('kubeconfig'));
  await writeFile(file('ca.crt'), root.pem);
  await writeFile(file('token'), 'proves us');

  const start = async (pod: string): Promise<Replica> => {
    const config = readPolicyConfig({
      KUBECONFIG: file('kubeconfig'),
      GATEHOUSE_POD_NAME: pod,
      GATEHOUSE_IDENTITY_ADDR: server.address,
      GATEHOUSE_TOKEN_FILE: file('token'),
      GATEHOUSE_TRUST_ANCHORS: file('ca.crt'),
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
      GATEHOUSE_WEBHOOK_ADDR: '',
    });
    const running = await startPolicy(config, { log: silentLog });
    t.after(() => running.stop('the test is over'));
    const port = Number(new URL(running.admin).port);
    api.put(sliceOf(pod, { address: '127.0.0.1', ports: { admin: port } }));
    await eventually(async () => (await fetch(`${running.admin}/ready`)).status === 200);
    const security = { serverName: running.name, trustAnchors: root.pem };
    const client = aGrpcClient(t, { address: running.grpc }, security);
    const abort = new AbortController();
    t.after(() => abort.abort());
    return {
      pod,
      running,
      watch: (name) => {
        void watch({
          client,
          path: '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
          request: PortSpec.encode({
            workload: JSON.stringify({ ns: 'demo', pod: name }),
            port: 8080,
          }).finish(),
          signal: abort.signal,
          onMessage: () => {},
        });
      },
    };
  };
  const audiences = ['gatehouse'];
  return {
    both: [await start('gatehouse-policy-0'), await start('gatehouse-policy-1')],
    token: await api.mintToken({ namespace: 'gatehouse', serviceAccount: 'admin', audiences }),
  };
};

test('each policy replica tells of the streams of both, and names the other when it is gone', async (t) => {
  const { both, token } = await replicas(t);
  const [first, second] = both;
  first.watch('web-0');
  second.watch('web-1');
  second.watch('web-2');
  const read = async ({ running }: Replica) =>
    (await ask(`${running.admin}/v1/streams?namespace=demo`, { token })).json;
  const targets = async (replica: Replica): Promise<readonly string[]> =>
    (await read(replica)).items.map(
      (item: { replica: string; target: string }) => `${item.replica} ${item.target}`,
    );
  for (const replica of both) {
    await eventually(async () => (await targets(replica)).length === 3);
    assert.deepEqual((await targets(replica)).toSorted(), [
      'gatehouse-policy-0 demo/web-0:8080',
      'gatehouse-policy-1 demo/web-1:8080',
      'gatehouse-policy-1 demo/web-2:8080',
    ]);
    assert.deepEqual((await read(replica)).partial, []);
  }
  await second.running.stop('killed');
  const { items, partial } = await read(first);
  assert.deepEqual(
    items.map((item: { replica: string }) => item.replica),
    [first.pod],
  );
  assert.deepEqual(
    partial.map((one: { replica: string }) => one.replica),
    [second.pod],
  );
});
