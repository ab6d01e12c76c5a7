import type { Manifest } from '../manifests.ts';

interface ServiceSpec {
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly targetPort: string }[];
}

interface PodParts {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly {
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
  };
  readonly status: {
    readonly podIPs: readonly { readonly ip: string }[];
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The one slice of a small Service whose pods agree on their ports, as the cluster's own controller would write it. */
export const sliceOf = (service: Manifest, pods: readonly Manifest[]): Manifest => {
  const { namespace, name } = service.metadata as { readonly namespace: string; readonly name: string };
  const { selector, ports } = service.spec as ServiceSpec;
  const selected = pods
    .map((pod) => pod as unknown as PodParts)
    .filter(({ metadata }) =>
      Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value),
    );
  const declared = selected.flatMap(({ spec }) => spec.containers.flatMap((container) => container.ports));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-slice`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports.flatMap(({ name: port, targetPort }) => {
      const found = declared.find((one) => one.name === targetPort);
      return found === undefined ? [] : [{ name: port, port: found.containerPort, protocol: 'TCP' }];
    }),
    endpoints: selected.map(({ metadata, status }) => ({
      addresses: [status.podIPs[0]?.ip ?? ''],
      conditions: { ready: status.conditions.some((one) => one.type === 'Ready' && one.status === 'True') },
      targetRef: { kind: 'Pod', namespace, name: metadata.name },
    })),
  };
};
