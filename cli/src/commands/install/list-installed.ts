import { crdKind, installedKinds, listPath, named } from '@gatehouse/manifests/installed-kinds';
import { type KubeObject, partOf } from '@gatehouse/manifests/objects/kube-object';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { Type } from 'typebox';
import { listObjects } from '../../reach/list-objects.ts';

const Named = Type.Object({
  metadata: Type.Object({ name: Type.String(), namespace: Type.Optional(Type.String()) }),
});

export interface Place {
  readonly namespace: string;
  readonly signal: AbortSignal;
}

const selectorOf = (labels: Readonly<Record<string, string>>, operator = '='): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}${operator}${value}`)
    .join(',');

/** Of all objects of an installation. */
export const installedSelector = selectorOf(partOf);

interface Wanted extends Place {
  /** Whether the CustomResourceDefinitions are asked for too. */
  readonly crds?: boolean;
  /** As `servedElsewhere` says: cluster-wide objects are another control plane's then. */
  readonly elsewhere: string | undefined;
}

/**
 * The objects that bear the label of an installation, in the namespace of the control plane and outside of any, by name alone, in the
 * order in which they are removed. A Namespace counts only if it is that one.
 */
export const listInstalled = async (
  client: KubeClient,
  { namespace, signal, crds = false, elsewhere }: Wanted,
): Promise<readonly KubeObject[]> => {
  const kinds = [...installedKinds, ...(crds ? [crdKind] : [])].filter(
    ({ kind, scope }) => elsewhere === undefined || scope === 'Namespaced' || kind === 'Namespace',
  );
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const path = listPath(kind, namespace);
      const found = await listObjects(client, {
        path,
        labelSelector: installedSelector,
        schema: Named,
        signal,
      });
      return (found ?? [])
        .filter(({ metadata }) => kind.kind !== 'Namespace' || metadata.name === namespace)
        .map(({ metadata: { name, namespace: of } }) =>
          named(kind, of === undefined ? { name } : { name, namespace: of }),
        );
    }),
  );
  return lists.flat();
};

/** Pods that have ended hold nothing. */
const notEnded = 'status.phase!=Succeeded,status.phase!=Failed';

/** `NAMESPACE/NAME` of the pods that have a proxy of this control plane, wherever they are, but for those that have ended. */
export const meshedPods = async (
  client: KubeClient,
  { namespace, signal }: Place,
): Promise<readonly string[]> => {
  const found = await listObjects(client, {
    path: '/api/v1/pods',
    labelSelector: selectorOf({ 'linkerd.io/control-plane-ns': namespace }),
    fieldSelector: notEnded,
    schema: Named,
    signal,
  });
  return (found ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
};

/** What else is in the namespace that would be lost with it: pods that run, and volumes. */
export const othersInNamespace = async (
  client: KubeClient,
  { namespace, signal }: Place,
): Promise<readonly string[]> => {
  const labelSelector = selectorOf(partOf, '!=');
  const list = async (plural: string, fieldSelector?: string) => {
    const path = `/api/v1/namespaces/${namespace}/${plural}`;
    const found = await listObjects(client, { path, labelSelector, fieldSelector, schema: Named, signal });
    return (found ?? []).map(({ metadata }) => metadata.name);
  };
  const [pods, claims] = await Promise.all([list('pods', notEnded), list('persistentvolumeclaims')]);
  return [
    ...pods.map((name) => `pod ${name}`),
    ...claims.map((name) => `PersistentVolumeClaim ${name}`),
  ].sort();
};
