import { realApiServerAssets, startRealApiServer } from '../real-api-server.ts';
import { apiServerContract } from './api-server-contract.ts';
import { startFakeApiServer } from './fake-api-server.ts';
import { webhookContract } from './webhook-contract.ts';

// The same stories on both: what the fake is trusted for is what the real one was seen to do.

for (const contract of [apiServerContract, webhookContract])
  contract('the fake API server', { open: () => startFakeApiServer() });

const { assets, skip } = realApiServerAssets();

for (const contract of [apiServerContract, webhookContract])
  contract('the real API server', { skip, open: () => startRealApiServer(assets) });
