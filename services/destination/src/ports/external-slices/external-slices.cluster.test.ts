import { test } from 'node:test';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { externalWorkloadsBecomeEndpoints } from '../../../testing/external-slices-contract.ts';

const { assets, skip } = realApiServerAssets();

test('on a real API server ExternalWorkloads become endpoints, by one of two replicas', {
  skip,
}, async (t) => {
  const cluster = await RealCluster.start(assets);
  t.after(() => cluster[Symbol.asyncDispose]());
  await externalWorkloadsBecomeEndpoints(t, cluster);
});
