import { installedStoryContract } from './installed-story-contract.ts';
import { openFakeWebhookCluster } from './open-webhook-cluster.ts';

installedStoryContract('the fake API server', { open: openFakeWebhookCluster });
