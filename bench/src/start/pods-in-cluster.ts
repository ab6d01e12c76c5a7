import type { RealCluster } from '@gatehouse/testing/real-cluster';
import { meshedPod } from '../watch/meshed-pod.ts';

/** How many are written at a time. */
const lanes = 8;

/** Namespaces that meshed pods are in, and that of the control plane with the Deployment that Linkerd's Lease belongs to. */
export const makeNamespaces = async (cluster: RealCluster): Promise<void> => {
  const names = ['gatehouse', ...Array.from({ length: 20 }, (_, index) => `ns-${index}`)];
  for (const name of names) await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const labels = { app: 'linkerd-destination' };
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'gatehouse', name: 'linkerd-destination' },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'policy', image: 'policy' }] } },
    },
  });
};

/** Writes the meshed pods from one number up to another. */
export const makePods = async (cluster: RealCluster, from: number, to: number): Promise<void> => {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) {
      const { status, ...pod } = meshedPod(next);
      next += 1;
      const { namespace, name } = pod.metadata as { readonly namespace: string; readonly name: string };
      const path = `/api/v1/namespaces/${namespace}/pods`;
      await cluster.ask({ method: 'POST', path, body: pod });
      await cluster.ask({
        method: 'PATCH',
        path: `${path}/${name}/status`,
        contentType: 'application/merge-patch+json',
        body: { status },
      });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
};
