import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { reviewerContract } from '../../../testing/reviewer-contract.ts';

const { assets, skip } = realApiServerAssets();

reviewerContract('a real API server', {
  skip,
  open: async () => {
    const cluster = await RealCluster.start(assets);
    const { server } = cluster;
    return {
      cluster,
      away: (meanwhile) => server.restart(meanwhile),
      rotateTokenKey: (old) => server.rotateTokenKey(old),
      [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
    };
  },
});
