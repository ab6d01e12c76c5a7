import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { installedStoryContract } from './installed-story-contract.ts';

const { assets, skip } = realApiServerAssets();

installedStoryContract('a real API server', {
  skip,
  open: async () => ({ cluster: await RealCluster.start(assets, { authorization: 'RBAC' }) }),
});
