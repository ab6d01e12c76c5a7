import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aNamespace, aNetworkAuthenticationPolicy, aPod, labelled } from '@gatehouse/testing/builders';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';

export const serverName = printIdentity(
  identityOf(
    { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    'gatehouse',
    'gatehouse-policy',
  ),
);

/** The declared ports of every pod, and that of the proxy's own admin server. */
export const ports = [8080, 8443, 9000, 9090, 4191] as const;

const podName = (pod: number): string => `web-6c9f7d5b8-${pod.toString(36).padStart(5, '0')}`;

/** Pods of an application as a Deployment makes them: what tells them apart concerns no policy. */
const aWorkload = (pod: number, app: number): KubeObject<'Pod'> =>
  aPod({
    name: podName(pod),
    labels: { app: `app-${app}`, team: 'blue', 'pod-template-hash': '6c9f7d5b8' },
    ips: [`10.${64 + (pod >> 16)}.${(pod >> 8) & 255}.${pod & 255}`],
    ports: ports.slice(0, -1).map((port) => ({ name: `p${port}`, port })),
  });

/** The application may be called by the next one, on one port. */
export const grantTo = (app: number): KubeObject<'NetworkAuthenticationPolicy'> =>
  aNetworkAuthenticationPolicy({
    name: `to-app-${app}`,
    target: labelled({ app: `app-${app}` }),
    sources: [{ podSelector: labelled({ app: `app-${app + 1}` }) }],
  });

/** One namespace with so many pods, a policy for each application. */
export const clusterObjects = (pods: number, podsPerApp: number): readonly KubeObject[] => [
  aNamespace(),
  ...Array.from({ length: pods }, (_, pod) => aWorkload(pod, Math.floor(pod / podsPerApp))),
  ...Array.from({ length: pods / podsPerApp }, (_, app) => grantTo(app)),
];

/** A policy that concerns every port of every pod, granting it to so many clients. */
export const forEverybody = (clients: number): KubeObject<'NetworkAuthenticationPolicy'> =>
  aNetworkAuthenticationPolicy({
    name: 'for-everybody',
    target: labelled({ team: 'blue' }),
    ports: [{ kind: 'range', first: 1, last: 65_535 }],
    sources: Array.from({ length: clients }, (_, client) => ({
      serviceAccounts: [{ namespace: 'demo', name: `client-${client}` }],
    })),
  });

export const podAt = (pod: number): { readonly namespace: string; readonly pod: string } => ({
  namespace: 'demo',
  pod: podName(pod),
});

/** What the proxy of a pod asks for one of its ports. */
export const watchRequest = (pod: number, port: number): Uint8Array =>
  PortSpec.encode({ workload: `{"ns":"demo","pod":"${podName(pod)}"}\n`, port }).finish();
