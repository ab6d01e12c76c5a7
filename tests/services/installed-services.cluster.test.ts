import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { installedServicesContract } from './installed-services-contract.ts';

const { assets, skip } = realApiServerAssets();

installedServicesContract('a real API server', {
  skip,
  open: () => RealCluster.start(assets, { authorization: 'RBAC' }),
});
