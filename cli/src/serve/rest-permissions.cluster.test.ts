import { realApiServerAssets } from '@gatehouse/shared/testing/real-api-server';
import { RealCluster } from '@gatehouse/shared/testing/real-cluster';
import { restPermissionsContract } from '../../testing/rest-permissions-contract.ts';

const { assets, skip } = realApiServerAssets();

restPermissionsContract('a real API server', {
  skip,
  open: () => RealCluster.start(assets, { authorization: 'RBAC' }),
});
