import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { injectionContract } from './injection-contract.ts';

const { assets, skip } = realApiServerAssets();

injectionContract('a real API server', {
  skip,
  open: async () => ({ cluster: await RealCluster.start(assets, { authorization: 'RBAC' }) }),
});
