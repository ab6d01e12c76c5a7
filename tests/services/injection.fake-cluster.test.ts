import { injectionContract } from './injection-contract.ts';
import { openFakeWebhookCluster } from './open-webhook-cluster.ts';

injectionContract('the fake API server', { open: openFakeWebhookCluster });
