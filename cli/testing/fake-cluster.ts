import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import type { OpenedCluster } from './cli-cluster.ts';

/** A cluster of the fake API server alone, in RBAC mode, with an administrator. */
export const openFakeCluster = async (): Promise<OpenedCluster> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-cli-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const token = 'a-token-of-an-administrator';
  const fake = await startFakeApiServer({
    tls: true,
    tokens: new Map([[token, { username: 'admin', groups: ['system:masters'] }]]),
    authorize: 'RBAC',
    crds: [],
  });
  await fake.kubeconfig(kubeconfig, token);
  const stop = async (): Promise<void> => {
    await fake.stop();
    await rm(folder, { recursive: true });
  };
  return { cluster: await RealCluster.on({ kubeconfig, stop }) };
};
