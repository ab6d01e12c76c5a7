import type { Question } from './answer.ts';
import {
  type ClusterPlan,
  client,
  clusterIp,
  externalIp,
  here,
  hostIp,
  nodes,
  podName,
  type ServicePlan,
  serviceNames,
  v4,
  v6,
} from './random-cluster.ts';

const tokens = ['', `{"ns":"${client}","nodeName":"node-1"}`, `{"ns":"${here}","nodeName":"node-2"}`];

/** Everything that is asked of both controllers. */
export const questions: readonly Question[] = tokens.flatMap((contextToken) => [
  ...serviceNames.flatMap((name) => {
    const path = `${name}.${here}.svc.cluster.local`;
    return [
      { method: 'Get' as const, path: `${path}:80`, contextToken },
      { method: 'Get' as const, path: `${path}:3306`, contextToken },
      { method: 'Get' as const, path: `${podName(0)}.${path}:80`, contextToken },
      { method: 'GetProfile' as const, path: `${path}:80`, contextToken },
      { method: 'GetProfile' as const, path: `${path}:3306`, contextToken },
      { method: 'GetProfile' as const, path: `${path}:81`, contextToken },
      { method: 'GetProfile' as const, path: `${podName(0)}.${path}:80`, contextToken },
    ];
  }),
  ...[
    `${clusterIp(0)}:80`,
    `${v4(0)}:8080`,
    `${v4(0)}:3306`,
    `${v4(0)}:4191`,
    `${v4(1)}:9090`,
    `[${v6(0)}]:8080`,
    '192.168.0.1:30080',
    `${externalIp}:8080`,
    `${externalIp}:8081`,
    '172.16.0.1:8080',
    '172.16.0.1:3306',
  ].map((path) => ({ method: 'GetProfile' as const, path, contextToken })),
]);

/** The pod that has an address, as `ip:port` says it. */
export const podAt = (
  { pods }: ClusterPlan,
  address: string,
): { readonly zone: string; readonly mesh: string; readonly v4: string } | undefined => {
  const index = pods.findIndex(
    (each, at) =>
      each !== undefined &&
      (address.startsWith(`${v4(at)}:`) || (each.dual && address.startsWith(`[${v6(at)}]:`))),
  );
  const plan = pods[index];
  return plan === undefined ? undefined : { zone: nodes[plan.node], mesh: plan.mesh, v4: v4(index) };
};

/** Where a port of node-1 leads to: the address and port of the pod itself. */
export const hostPortTarget = ({ pods: [first] }: ClusterPlan, path: string): string | undefined =>
  path.startsWith(hostIp['node-1']) && first?.node === 'node-1' && first.hostPort !== undefined
    ? `${v4(0)}:${first.port}`
    : undefined;

/** The Service that a name or a cluster IP means. */
export const serviceAt = ({ services }: ClusterPlan, path: string): ServicePlan | undefined =>
  services.find(
    (each, at) =>
      path.includes(`${serviceNames[at]}.${here}.svc.`) ||
      (!each?.headless && path.startsWith(`${clusterIp(at)}:`)),
  );
