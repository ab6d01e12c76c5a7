import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { statusesContract } from '../testing/statuses-contract.ts';

statusesContract('the fake API server', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-statuses-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const fake = await startFakeApiServer({ crds: [] });
    await fake.kubeconfig(kubeconfig);
    const stop = async () => {
      await fake.stop();
      await rm(folder, { recursive: true });
    };
    return RealCluster.on({ kubeconfig, stop });
  },
});
