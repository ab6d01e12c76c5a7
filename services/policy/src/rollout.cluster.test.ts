import { inOwnNetwork } from '@gatehouse/testing/own-network';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { rolloutContract } from '../testing/rollout-contract.ts';

const { assets, skip } = realApiServerAssets();
const hosts = ['10.77.1.1', '10.77.1.2'] as const;

inOwnNetwork({
  title:
    'the rollout of a policy is followed over two replicas on a real API server, in a network of its own',
  skip,
  hosts,
  file: import.meta.url,
  count: 7,
  suite: () =>
    rolloutContract('a real API server', {
      hosts,
      open: () => RealCluster.start(assets, { authorization: 'RBAC' }),
    }),
});
