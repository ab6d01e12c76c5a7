import { realApiServerAssets, startRealApiServer } from '../real-api-server.ts';
import { apiServerContract } from './api-server-contract.ts';
import { startFakeApiServer } from './fake-api-server.ts';

// The same stories on both: what the fake is trusted for is what the real one was seen to do.

apiServerContract('the fake API server', {
  open: () => startFakeApiServer(),
});

const { assets, skip } = realApiServerAssets();

apiServerContract('the real API server', {
  skip,
  open: () => startRealApiServer(assets),
});
