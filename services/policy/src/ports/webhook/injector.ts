import { GatehouseError } from '@gatehouse/core/error';
import type { InjectingMesh } from '@gatehouse/core/injection/inject-pod';
import type { Labels } from '@gatehouse/core/label-selector';
import type { Webhook } from '@gatehouse/platform/http/webhook-server';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { readJson } from '@gatehouse/platform/kube/watch/wire-answers';
import type { EventRecorder } from '@gatehouse/platform/kube/write/events';
import type { Log } from '@gatehouse/platform/log/log';
import { admitForInjection, type InjectionFacts } from '../../core/injection/admit-injection.ts';

export interface InjectorOptions {
  readonly client: KubeClient;
  /** Throws `unavailable` while it is not known. */
  readonly mesh: () => InjectingMesh;
  readonly policiesFor: InjectionFacts['policiesFor'];
  readonly events: EventRecorder;
  readonly log: Log;
}

/** The webhook that adds proxies to pods. */
export const injector = ({ client, mesh, policiesFor, events, log }: InjectorOptions): Webhook => ({
  path: '/inject',
  admit: async (request, signal) => {
    const namespaceAnnotations = await annotationsOf(client, request.namespace, signal);
    const { verdict, event } = admitForInjection(request, {
      mesh: mesh(),
      namespaceAnnotations,
      policiesFor,
    });
    if (event !== undefined && !request.isDryRun) {
      const { reason, note, about } = event;
      const type = reason === 'InjectionRefused' ? 'Warning' : 'Normal';
      events.record({ type, reason, action: 'Inject', note, regarding: about });
      log.debug(
        { reason, note, about: `${about.kind} ${about.namespace}/${about.name}` },
        'a pod was admitted',
      );
    }
    return verdict;
  },
});

/**
 * Read again for each pod: a client that applies a Namespace and its pods together would be faster than a watch, and the pods
 * would run without a proxy.
 */
const annotationsOf = async (client: KubeClient, namespace: string, signal: AbortSignal): Promise<Labels> => {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const { status, body } = await client.request({ path, signal });
  if (status === 404) return {};
  const object = status === 200 ? readJson(body) : undefined;
  if (object === undefined)
    throw new GatehouseError(
      'unavailable',
      `the API server answered ${status} to ${path}: ${body.toString().slice(0, 200)}`,
    );
  const { annotations } = (object.metadata ?? {}) as { readonly annotations?: Labels };
  return annotations ?? {};
};
