import type { Manifest } from './manifests.ts';
import type { PodOptions } from './real-mesh.ts';

/** The pod as the API server would have it: running, with the addresses that its network namespace has. */
export const podManifest = (
  options: PodOptions & { readonly ready?: boolean },
  addresses: readonly string[],
): Manifest => {
  const {
    namespace,
    name,
    labels = {},
    annotations = {},
    serviceAccount = 'default',
    ports = {},
    probe,
    meshed = true,
    ready = true,
  } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      name,
      labels,
      annotations: { ...(meshed ? {} : { 'linkerd.io/inject': 'disabled' }), ...annotations },
    },
    spec: {
      serviceAccountName: serviceAccount,
      containers: [
        {
          name: 'app',
          image: 'app',
          ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
          ...(probe === undefined ? {} : { readinessProbe: { httpGet: probe } }),
        },
      ],
    },
    status: {
      phase: 'Running',
      podIPs: addresses.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
};
