import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { statusesContract } from '../testing/statuses-contract.ts';

const { assets, skip } = realApiServerAssets();

statusesContract('a real API server', { skip, open: () => RealCluster.start(assets) });
