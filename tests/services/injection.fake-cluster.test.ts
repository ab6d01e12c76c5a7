import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { injectionContract } from './injection-contract.ts';

injectionContract('the fake API server', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-injection-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const tokens = new Map([['administrator', { username: 'tester', groups: ['system:masters'] }]]);
    let webhook: string | undefined;
    const resolveService = (): string | undefined => webhook;
    const fake = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC', resolveService });
    await fake.kubeconfig(kubeconfig, 'administrator');
    const stop = async () => {
      await fake.stop();
      await rm(folder, { recursive: true });
    };
    return {
      cluster: await RealCluster.on({ kubeconfig, stop }),
      serveAt: (address) => {
        webhook = address;
      },
    };
  },
});
