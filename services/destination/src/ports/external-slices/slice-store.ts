import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient, KubeRequest } from '@gatehouse/platform/kube/client/client';
import { isHeadless } from '../../core/endpoints/service-port.ts';
import { type DesiredSlice, managedBy, managedByLabel } from '../../core/external-slices/plan-slices.ts';

/** Where EndpointSlices are written. Throws what went wrong. */
export interface SliceStore {
  /** Makes the slice, or makes it what it says. */
  put(slice: DesiredSlice, signal: AbortSignal): Promise<void>;
  /** What is gone already is gone. */
  remove(namespace: string, name: string, signal: AbortSignal): Promise<void>;
}

/** A write must be over before another replica may begin (leader-election.ts). */
const answerWithinMs = 4_000;

/** On an API server; needs create, patch and delete on `endpointslices` of discovery.k8s.io. */
export class KubeSliceStore implements SliceStore {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async put(slice: DesiredSlice, signal: AbortSignal): Promise<void> {
    await this.#ask(
      {
        method: 'PATCH',
        path: pathOf(slice.namespace, slice.name),
        // One writer is elected, and what others wrote in fields of ours was a mistake of theirs.
        query: { fieldManager: 'gatehouse-destination', force: true },
        contentType: 'application/apply-patch+yaml',
        body: wireSlice(slice),
      },
      signal,
    );
  }

  async remove(namespace: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#ask({ method: 'DELETE', path: pathOf(namespace, name) }, signal);
  }

  async #ask(request: Omit<KubeRequest, 'signal'>, signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    const { status, body } = await this.#client.request({ ...request, signal: until });
    if (status < 300 || (status === 404 && request.method === 'DELETE')) return;
    throw new GatehouseError(
      status === 403 ? 'permission-denied' : 'unavailable',
      `${request.method} ${request.path}: the API server answered ${status}: ${body.toString().slice(0, 300)}`,
    );
  }
}

const pathOf = (namespace: string, name: string): string =>
  `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${name}`;

/** As the API server takes it. It goes with its Service (`ownerReferences`), also when no replica runs by then. */
export const wireSlice = ({ namespace, name, service, family, ports, endpoints }: DesiredSlice): object => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    namespace,
    name,
    labels: {
      'kubernetes.io/service-name': service.meta.name,
      [managedByLabel]: managedBy,
      ...(isHeadless(service) ? { 'service.kubernetes.io/headless': '' } : {}),
    },
    ownerReferences: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        name: service.meta.name,
        uid: service.meta.uid,
        controller: true,
      },
    ],
  },
  addressType: `IPv${family}`,
  ports: ports.map(({ name: port, port: number }) => ({ name: port, port: number, protocol: 'TCP' })),
  endpoints: endpoints.map(({ workload: { meta, spec }, addresses }) => ({
    addresses,
    conditions: { ready: spec.ready, serving: spec.ready, terminating: false },
    targetRef: { kind: 'ExternalWorkload', namespace, name: meta.name, uid: meta.uid },
  })),
});
