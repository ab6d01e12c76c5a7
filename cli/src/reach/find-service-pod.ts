import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { headlessServiceOf } from '@gatehouse/platform/replicas/open-replicas';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import { type Static, Type } from 'typebox';
import { getObject } from './get-object.ts';

/** A pod of a service, and the port in it that serves the REST API. */
export interface ServicePod {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly isReady: boolean;
}

interface Wanted {
  readonly service: ServiceName;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** Where a container does not name its port `admin`. */
const usualPorts: Readonly<Record<ServiceName, number>> = { identity: 9990, destination: 9996, policy: 9997 };

const Labels = Type.Record(Type.String(), Type.String());
const Service = Type.Object({ spec: Type.Object({ selector: Type.Optional(Labels) }) });
const Condition = Type.Object({ type: Type.String(), status: Type.String() });
const Port = Type.Object({ name: Type.Optional(Type.String()), containerPort: Type.Integer() });
const Pod = Type.Object({
  metadata: Type.Object({ name: Type.String(), deletionTimestamp: Type.Optional(Type.String()) }),
  spec: Type.Object({ containers: Type.Array(Type.Object({ ports: Type.Optional(Type.Array(Port)) })) }),
  status: Type.Optional(
    Type.Object({
      phase: Type.Optional(Type.String()),
      conditions: Type.Optional(Type.Array(Condition)),
    }),
  ),
});
type Pod = Static<typeof Pod>;

/**
 * A running pod of the service, a ready one if there is any: one that is not ready can still say why. Throws what is
 * missing.
 */
export const findServicePod = async (client: KubeClient, wanted: Wanted): Promise<ServicePod> => {
  const { service, namespace, signal } = wanted;
  const name = headlessServiceOf[service];
  const base = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const found = await getObject(client, { path: `${base}/services/${name}`, schema: Service, signal });
  if (found === undefined) {
    throw new GatehouseError(
      'not-found',
      `there is no Service ${name} in the namespace ${namespace}: is the control plane in another one ` +
        '(--control-plane-namespace), or in another cluster (--context)?',
    );
  }
  const labelSelector = Object.entries(found.spec.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const schema = Type.Object({ items: Type.Array(Pod) });
  const listed = await getObject(client, { path: `${base}/pods`, query: { labelSelector }, schema, signal });
  const pods = labelSelector === '' ? [] : (listed?.items ?? []);
  const running = pods.filter(isRunning);
  const chosen = running.find(isReady) ?? running[0];
  if (chosen === undefined) {
    const states = pods.map(({ metadata, status }) => `${metadata.name} is ${status?.phase ?? 'Pending'}`);
    throw new GatehouseError(
      'unavailable',
      `no pod of ${accountOf(service)} runs in the namespace ${namespace} (${states.join(', ') || 'there is none'}): ` +
        `see kubectl get pods -n ${namespace}`,
    );
  }
  return { namespace, name: chosen.metadata.name, port: portOf(chosen, service), isReady: isReady(chosen) };
};

const isRunning = ({ metadata, status }: Pod): boolean =>
  status?.phase === 'Running' && metadata.deletionTimestamp === undefined;

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;

const portOf = ({ spec }: Pod, service: ServiceName): number =>
  spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === 'admin')?.containerPort ??
  usualPorts[service];
