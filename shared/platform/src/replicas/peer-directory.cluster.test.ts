import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { realApiServerAssets, startRealApiServer } from '@gatehouse/testing/real-api-server';
import { RealCluster, type WireObject } from '@gatehouse/testing/real-cluster';
import { sliceOf } from '@gatehouse/testing/replica-set';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { parseAllDocuments } from 'yaml';
import { openKubeClient } from '../kube/client/client.ts';
import { PeerDirectory } from './peer-directory.ts';

const { assets, skip } = realApiServerAssets();

/** What we ship for policy: its ServiceAccount and what it may do. */
const shipped = async (): Promise<readonly WireObject[]> => {
  const file = new URL('../../../../deploy/rbac/policy.yaml', import.meta.url);
  return parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS() as WireObject);
};

test('on a real API server the permissions that we ship let a replica find the others, in its own namespace only', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const cluster = await RealCluster.on(await startRealApiServer(assets, { authorization: 'RBAC' }));
  t.after(() => cluster[Symbol.asyncDispose]());
  const folder = await temporaryFolder(t);
  for (const name of ['gatehouse', 'demo']) {
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const all = await shipped();
  for (const object of all.filter(({ kind }) => kind === 'ServiceAccount')) await cluster.apply(object);

  // Addresses for documentation (RFC 5737, 3849): an API server takes none on loopback, and nobody is called here.
  const ports = { grpc: 8090, admin: 9997 };
  const slice = sliceOf('p-1', { address: '192.0.2.1', ports });
  const target = (name: string) => ({ kind: 'Pod', namespace: 'gatehouse', name });
  await cluster.apply({
    ...slice,
    endpoints: [
      { addresses: ['192.0.2.0'], conditions: { ready: true }, targetRef: target('p-0') },
      { addresses: ['192.0.2.1'], conditions: { ready: true }, targetRef: target('p-1') },
      {
        addresses: ['192.0.2.2'],
        conditions: { ready: false, serving: true, terminating: true },
        targetRef: target('p-2'),
      },
    ],
  });
  await cluster.apply(sliceOf('p-3', { address: '2001:db8::3', ports }));
  await cluster.apply(
    sliceOf('d-1', { service: 'gatehouse-destination-admin', address: '192.0.2.9', ports }),
  );

  const file = join(folder, 'kubeconfig');
  const account = { namespace: 'gatehouse', name: 'gatehouse-policy' };
  await writeFile(file, await cluster.kubeconfigWith(await cluster.accountToken(account)));
  const client = await openKubeClient({ kubeconfig: file });
  t.after(() => client.close());
  const directoryOf = (namespace: string): PeerDirectory =>
    new PeerDirectory({
      client,
      namespace,
      service: 'gatehouse-policy-admin',
      self: 'p-0',
      adminPort: 1,
      keepMs: 0,
      timeoutMs: 30_000,
      now: Date.now,
    });

  const forbidden = await directoryOf('gatehouse').find();
  assert.equal(forbidden.kind, 'unsure');
  assert.match(forbidden.kind === 'unsure' ? forbidden.reason : '', /answered 403 .*grant list/);

  for (const object of all.filter(({ kind }) => kind === 'Role' || kind === 'RoleBinding')) {
    await cluster.apply(object);
  }
  const directory = directoryOf('gatehouse');
  let found = await directory.find();
  // The server hears of a new role a moment after it has taken it in.
  while (found.kind === 'unsure') found = await directory.find();
  assert.deepEqual(
    found.peers.map(({ name, address }) => `${name} ${address.host} ${address.port}`),
    ['p-1 192.0.2.1 9997', 'p-2 192.0.2.2 9997', 'p-3 2001:db8::3 9997'],
  );
  assert.equal((await directoryOf('demo').find()).kind, 'unsure');
});
