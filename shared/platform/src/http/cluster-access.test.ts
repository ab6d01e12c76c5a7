import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { adminAccessContract } from '@gatehouse/testing/admin-access-contract';
import { RealCluster } from '@gatehouse/testing/real-cluster';

adminAccessContract('the fake API server', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-access-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const masterToken = 'a-token-of-an-administrator';
    const clock = { behindMs: 0 };
    const fake = await startFakeApiServer({
      tokens: new Map([[masterToken, { username: 'tester', groups: ['system:masters'] }]]),
      authorize: 'RBAC',
      crds: [],
      now: () => Date.now() - clock.behindMs,
    });
    await fake.kubeconfig(kubeconfig, masterToken);
    const stop = async () => {
      await fake.stop();
      await rm(folder, { recursive: true });
    };
    const cluster = await RealCluster.on({ kubeconfig, stop });
    const expiredToken = async ({ namespace, name }: { namespace: string; name: string }) => {
      clock.behindMs = 2 * 3_600_000;
      const token = await fake.mintToken({ namespace, serviceAccount: name });
      clock.behindMs = 0;
      return token;
    };
    const whileAway = async (meanwhile: () => Promise<void>) => {
      await fake.stop();
      await meanwhile();
      await fake.restart();
    };
    return { cluster, masterToken, expiredToken, whileAway };
  },
});
