import { openFakeCluster } from '../../../testing/fake-cluster.ts';
import { identityCliContract } from '../../../testing/identity-cli-contract.ts';

identityCliContract('the fake API server', { open: openFakeCluster });
