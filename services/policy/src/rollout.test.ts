import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { rolloutContract } from '../testing/rollout-contract.ts';

rolloutContract('the fake API server', {
  skip: process.platform === 'linux' ? false : 'proxies need addresses of their own on loopback',
  hosts: ['127.0.0.1', '127.0.0.1'],
  open: openFakeCluster,
});
