import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { type ClusterServer, RealCluster } from '@gatehouse/testing/real-cluster';

/** A cluster that calls webhooks. */
export interface ClusterWithWebhooks {
  readonly cluster: RealCluster<ClusterServer>;
  /** Told where the webhook's Service is, where the API server cannot look it up. */
  readonly serveAt?: (address: string) => void;
}

/** The fake API server in RBAC mode, whose webhooks are where the test says. */
export const openFakeWebhookCluster = async (): Promise<ClusterWithWebhooks> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fake-webhooks-'));
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
};
