import { openFakeWebhookCluster } from './open-webhook-cluster.ts';
import { validationContract } from './validation-contract.ts';

validationContract('the fake API server', { open: openFakeWebhookCluster });
