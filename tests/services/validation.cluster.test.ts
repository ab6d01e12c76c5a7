import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { validationContract } from './validation-contract.ts';

const { assets, skip } = realApiServerAssets();

validationContract('a real API server', {
  skip,
  open: async () => ({ cluster: await RealCluster.start(assets, { authorization: 'RBAC' }) }),
});
