import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { externalWorkloadsBecomeEndpoints } from '../../../testing/external-slices-contract.ts';

test('on the fake API server ExternalWorkloads become endpoints, by one of two replicas', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-external-slices-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const administrator = { username: 'tester', groups: ['system:masters'] };
  const fake = await startFakeApiServer({ crds: [], tokens: new Map([['administrator', administrator]]) });
  const kubeconfig = join(folder, 'kubeconfig');
  await fake.kubeconfig(kubeconfig, 'administrator');
  const cluster = await RealCluster.on({ kubeconfig, stop: () => fake.stop() });
  t.after(() => cluster[Symbol.asyncDispose]());
  await externalWorkloadsBecomeEndpoints(t, cluster);
});
