import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { type Static, Type } from 'typebox';
import { getObject } from './get-object.ts';

const Container = Type.Object({
  ports: Type.Optional(
    Type.Array(Type.Object({ name: Type.Optional(Type.String()), containerPort: Type.Integer() })),
  ),
});
const Pod = Type.Object({
  spec: Type.Object({
    containers: Type.Array(Container),
    /** Where native sidecars are. */
    initContainers: Type.Optional(Type.Array(Container)),
  }),
});

/** The proxy's own HTTP port, where it also ends TLS with its identity: as Linkerd's injector names it, and its default. */
const adminPort = { name: 'linkerd-admin', usual: usualProxyPorts.admin };

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** The port of a pod's proxy that can be asked for its certificate; undefined where there is no such pod. */
export const proxyPort = async (
  client: KubeClient,
  { namespace, name }: PodName,
  signal: AbortSignal,
): Promise<number | undefined> => {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const pod: Static<typeof Pod> | undefined = await getObject(client, { path, schema: Pod, signal });
  if (pod === undefined) return undefined;
  const { containers, initContainers = [] } = pod.spec;
  const ports = [...initContainers, ...containers].flatMap((container) => container.ports ?? []);
  return ports.find((port) => port.name === adminPort.name)?.containerPort ?? adminPort.usual;
};
