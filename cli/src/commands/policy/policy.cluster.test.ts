import { after } from 'node:test';
import { aKubelet } from '@gatehouse/testing/port-forward-fixture';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { policyCliContract } from '../../../testing/policy-cli-contract.ts';

const { assets, skip } = realApiServerAssets();

/** A hook that is made within a hook ends with it, so what the kubelet needs ended is kept until the file is over. */
const endings: (() => void)[] = [];
after(() => {
  for (const end of endings) end();
});

policyCliContract('a real API server', {
  skip,
  open: async () => ({
    kubeletPort: await aKubelet({ after: (end) => void endings.push(end) }),
    cluster: await RealCluster.start(assets, { authorization: 'RBAC' }),
  }),
});
