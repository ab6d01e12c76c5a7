import { openFakeCluster } from '../../../testing/fake-cluster.ts';
import { policyCliContract } from '../../../testing/policy-cli-contract.ts';

policyCliContract('the fake API server', { open: openFakeCluster });
