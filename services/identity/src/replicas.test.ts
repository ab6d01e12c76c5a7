import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { replicasContract } from '../testing/replicas-contract.ts';

/** Only Linux has all of 127.0.0.0/8 without being told. */
const hosts =
  process.platform === 'linux'
    ? (['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const)
    : (['127.0.0.1', '127.0.0.1', '127.0.0.1'] as const);

replicasContract('the fake API server', {
  listen: 'own address',
  hosts,
  open: openFakeCluster,
});
