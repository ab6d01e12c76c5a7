import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { reviewerContract } from '../../../testing/reviewer-contract.ts';

reviewerContract('the fake API server', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-reviewers-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const fake = await startFakeApiServer({ crds: [] });
    await fake.kubeconfig(kubeconfig);
    const stop = async (): Promise<void> => {
      await fake.stop();
      await rm(folder, { recursive: true });
    };
    const cluster = await RealCluster.on({ kubeconfig, stop });
    return {
      cluster,
      away: fake.away,
      rotateTokenKey: fake.rotateTokenKey,
      [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
    };
  },
});
