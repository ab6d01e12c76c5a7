import { apiServerContract } from '@gatehouse/testing/api-server/api-server-contract';
import { webhookContract } from '@gatehouse/testing/api-server/webhook-contract';
import { realApiServerAssets, startRealApiServer } from '@gatehouse/testing/real-api-server';
import { startFakeApiServer } from './fake-api-server.ts';

// The same stories on both: what the fake is trusted for is what the real one was seen to do.

for (const contract of [apiServerContract, webhookContract])
  contract('the fake API server', { open: () => startFakeApiServer() });

const { assets, skip } = realApiServerAssets();

for (const contract of [apiServerContract, webhookContract])
  contract('the real API server', { skip, open: () => startRealApiServer(assets) });
