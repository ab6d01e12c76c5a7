import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aPod, aService } from '@gatehouse/testing/builders';

export const serverName = printIdentity(
  identityOf(
    { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    'gatehouse',
    'gatehouse-destination',
  ),
);

const backend = (index: number): KubeObject<'Pod'> =>
  aPod({
    name: `backend-6c9f7d5b8-${index.toString(36).padStart(5, 'x')}`,
    ips: [`10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`],
    labels: { app: 'backend', 'pod-template-hash': '6c9f7d5b8' },
    owner: { kind: 'Deployment', name: 'backend' },
  });

/** One Service and what stands behind it. */
export const clusterObjects = (endpoints: number): readonly KubeObject[] => [
  aService({ name: 'backend' }),
  ...Array.from({ length: endpoints }, (_, index) => backend(index)),
];

export const oneMore = (endpoints: number): KubeObject => backend(endpoints);
