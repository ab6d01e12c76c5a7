import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { installedServicesContract } from './installed-services-contract.ts';

installedServicesContract('the fake API server', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-installed-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const tokens = new Map([['administrator', { username: 'tester', groups: ['system:masters'] }]]);
    const fake = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC' });
    await fake.kubeconfig(kubeconfig, 'administrator');
    const stop = async () => {
      await fake.stop();
      await rm(folder, { recursive: true });
    };
    return RealCluster.on({ kubeconfig, stop });
  },
});
