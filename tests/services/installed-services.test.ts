import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { installedServicesContract } from './installed-services-contract.ts';

installedServicesContract('the fake API server', {
  open: openFakeCluster,
});
