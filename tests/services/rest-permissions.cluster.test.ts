import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { restPermissionsContract } from './rest-permissions-contract.ts';

const { assets, skip } = realApiServerAssets();

restPermissionsContract('a real API server', {
  skip,
  open: () => RealCluster.start(assets, { authorization: 'RBAC' }),
});
