import { type InstalledKind, listPath, named } from '@gatehouse/manifests/installed-kinds';
import { type KubeObject, partOf } from '@gatehouse/manifests/objects/kube-object';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { Type } from 'typebox';
import { getObject } from '../../reach/get-object.ts';

const Named = Type.Object({
  metadata: Type.Object({ name: Type.String(), namespace: Type.Optional(Type.String()) }),
});
const Names = Type.Object({ items: Type.Array(Named) });

interface Place {
  readonly namespace: string;
  readonly signal: AbortSignal;
}

const selectorOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/**
 * The objects of these kinds that bear the label of an installation, in the namespace of the control plane and outside of any, by name
 * alone. A Namespace counts only if it is that one.
 */
export const listInstalled = async (
  client: KubeClient,
  kinds: readonly InstalledKind[],
  { namespace, signal }: Place,
): Promise<readonly KubeObject[]> => {
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const query = { labelSelector: selectorOf(partOf) };
      const found = await getObject(client, {
        path: listPath(kind, namespace),
        query,
        schema: Names,
        signal,
      });
      return (found?.items ?? [])
        .filter(({ metadata }) => kind.kind !== 'Namespace' || metadata.name === namespace)
        .map(({ metadata: { name, namespace: of } }) =>
          named(kind, of === undefined ? { name } : { name, namespace: of }),
        );
    }),
  );
  return lists.flat();
};

/** `NAMESPACE/NAME` of the pods that have a proxy of this control plane, wherever they are. */
export const meshedPods = async (
  client: KubeClient,
  { namespace, signal }: Place,
): Promise<readonly string[]> => {
  const query = { labelSelector: selectorOf({ 'linkerd.io/control-plane-ns': namespace }) };
  const found = await getObject(client, { path: '/api/v1/pods', query, schema: Names, signal });
  return (found?.items ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
};
