import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { restPermissionsContract } from './rest-permissions-contract.ts';

restPermissionsContract('the fake API server', {
  open: openFakeCluster,
});
