import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { rolloutContract } from '../testing/rollout-contract.ts';

rolloutContract('the fake API server', {
  skip: process.platform === 'linux' ? false : 'proxies need addresses of their own on loopback',
  hosts: ['127.0.0.1', '127.0.0.1'],
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-rollout-'));
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
