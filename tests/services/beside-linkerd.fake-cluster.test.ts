import { besideLinkerdContract } from './beside-linkerd-contract.ts';
import { openFakeWebhookCluster } from './open-webhook-cluster.ts';

besideLinkerdContract('the fake API server', { open: openFakeWebhookCluster });
