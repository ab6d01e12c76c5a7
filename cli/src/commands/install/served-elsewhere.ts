import { type InstalledKind, installedKinds, listPath } from '@gatehouse/manifests/installed-kinds';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { type Static, Type } from 'typebox';
import { listObjects } from '../../reach/list-objects.ts';
import { installedSelector, type Place } from './list-installed.ts';

const Placed = Type.Object({ namespace: Type.Optional(Type.String()) });
const Serving = Type.Object({
  subjects: Type.Optional(Type.Array(Placed)),
  webhooks: Type.Optional(
    Type.Array(Type.Object({ clientConfig: Type.Optional(Type.Object({ service: Type.Optional(Placed) })) })),
  ),
});

const namespacesOf = ({ subjects = [], webhooks = [] }: Static<typeof Serving>): readonly string[] =>
  [...subjects, ...webhooks.map(({ clientConfig }) => clientConfig?.service)].flatMap(
    (place) => place?.namespace ?? [],
  );

/** Cluster-wide, and says which namespace's control plane it is for. */
const serving: readonly InstalledKind[] = installedKinds.filter(
  ({ kind, scope }) => scope === 'Cluster' && /(?:RoleBinding|WebhookConfiguration)$/.test(kind),
);

/**
 * Which other namespace's control plane a cluster's bindings and webhooks are for; undefined where they are for this one's, or there
 * are none. They have the same names wherever the control plane runs, so a cluster has one, and they must not be taken for ours.
 */
export const servedElsewhere = async (
  client: KubeClient,
  { namespace, signal }: Place,
): Promise<string | undefined> => {
  const lists = await Promise.all(
    serving.map((kind) =>
      listObjects(client, {
        path: listPath(kind, namespace),
        labelSelector: installedSelector,
        schema: Serving,
        signal,
      }),
    ),
  );
  const served = lists.flatMap((list) => list ?? []).flatMap(namespacesOf);
  return served.includes(namespace) ? undefined : served[0];
};
