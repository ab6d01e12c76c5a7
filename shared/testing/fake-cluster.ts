import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { type ClusterServer, RealCluster } from './real-cluster.ts';

export interface FakeCluster extends ClusterServer {
  readonly fake: FakeApiServer;
}

/** A cluster of the fake API server alone, in RBAC mode, asked as an administrator. */
export const openFakeCluster = async (): Promise<RealCluster<FakeCluster>> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-cluster-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const tokens = new Map([['administrator', { username: 'tester', groups: ['system:masters'] }]]);
  const fake = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC' });
  await fake.kubeconfig(kubeconfig, 'administrator');
  const stop = async (): Promise<void> => {
    await fake.stop();
    await rm(folder, { recursive: true });
  };
  return RealCluster.on({ fake, kubeconfig, stop });
};
