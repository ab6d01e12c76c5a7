import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { replicasContract } from '../testing/replicas-contract.ts';

/** Only Linux has all of 127.0.0.0/8 without being told. */
const hosts =
  process.platform === 'linux'
    ? (['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const)
    : (['127.0.0.1', '127.0.0.1', '127.0.0.1'] as const);

replicasContract('the fake API server', {
  listen: 'own address',
  hosts,
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-replicas-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const tokens = new Map([['administrator', { username: 'tester', groups: ['system:masters'] }]]);
    const fake = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC' });
    await fake.kubeconfig(kubeconfig, 'administrator');
    const stop = async (): Promise<void> => {
      await fake.stop();
      await rm(folder, { recursive: true });
    };
    return RealCluster.on({ kubeconfig, stop });
  },
});
