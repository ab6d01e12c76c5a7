import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { besideLinkerdContract } from './beside-linkerd-contract.ts';

const { assets, skip } = realApiServerAssets();

besideLinkerdContract('a real API server', {
  skip,
  open: async () => ({ cluster: await RealCluster.start(assets, { authorization: 'RBAC' }) }),
});
