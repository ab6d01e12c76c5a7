import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { hashTemplate } from '@gatehouse/platform/kube/directory/controller-labels';
import { draftAll } from '@gatehouse/platform/kube/directory/draft';
import { composeWorld } from '@gatehouse/platform/kube/directory/folder-objects';
import type { Manifest } from '@gatehouse/platform/kube/directory/manifest';
import { isWorkloadKind } from '@gatehouse/platform/kube/directory/workload';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, listOf, metaOf, textOf, withMeta } from './object-meta.ts';
import { putObject } from './put-object.ts';
import {
  builtInTypes,
  namespaceType,
  nodeType,
  podType,
  resourceKey,
  serviceAccountType,
} from './resource-types.ts';
import { type ServerState, splitApiVersion } from './server-state.ts';
import { objectKey } from './store.ts';
import { namedBy, printPod, statusOf } from './workload-pods.ts';

const workloadKeys = builtInTypes
  .filter(({ group, kind }) => isWorkloadKind(group, kind))
  .map((type) => resourceKey(type));
/** Besides workloads: what their pods' places, labels and certificates come from. */
const contextKeys = [namespaceType, serviceAccountType, nodeType].map((type) => resourceKey(type));
const podKey = resourceKey(podType);

/**
 * Does what controllers and kubelet would do of Deployments, StatefulSets and DaemonSets: their pods are there, running, as soon as
 * the write is answered that asks for them, replaced when the template changes, and gone with their workload. Names and addresses
 * are those of a folder of the same manifests; a pod that takes another's place has its name and address, and a uid of its own.
 */
export const playWorkloads = (state: ServerState, controlPlaneNamespace: string): void => {
  const { store } = state;
  const ended = new Set<string>();
  let isDue = false;
  const settle = (): void => {
    isDue = false;
    for (const write of missing(state, controlPlaneNamespace)) {
      if (write.remove !== undefined) store.remove(podKey, write.remove);
      else
        putObject(
          state,
          ended.has(textOf(metaOf(write.put).uid)) ? withMeta(write.put, { uid: undefined }) : write.put,
        );
    }
  };
  store.subscribe(({ resource, before, after }) => {
    const isEnd = resource === podKey && after === undefined;
    if (isEnd) ended.add(textOf(metaOf(before ?? {}).uid));
    if (isDue || !(isEnd || workloadKeys.includes(resource) || resource === resourceKey(nodeType))) return;
    isDue = true;
    // Not within the write: those who watch are told of it first.
    queueMicrotask(settle);
  });
};

type Write = { readonly remove: string } | { readonly remove?: undefined; readonly put: WireObject };

/** What is to be written until every workload has its pods, and no others, and says so in its status. */
const missing = ({ store }: ServerState, controlPlaneNamespace: string): readonly Write[] => {
  const listed = (keys: readonly string[]): readonly WireObject[] =>
    keys.flatMap((key) => [...store.list(key)].map(([, object]) => object));
  const workloads = listed(workloadKeys);
  const byName = new Map(workloads.map((object) => [namedBy(object), object]));
  const podsWith = (pods: readonly WireObject[]) =>
    podsOf([...pods, ...listed(contextKeys), ...workloads.map(withoutUid)], controlPlaneNamespace);
  const wanted = new Set(podsWith([]).map(({ meta }) => objectKey(meta.namespace, meta.name)));
  const stored = [...store.list(podKey)].map(([key, pod]) => ({ key, pod, owner: ownerOf(pod) }));
  const left = stored.filter(
    ({ key, pod, owner }) => owner === undefined || (wanted.has(key) && isOfTemplate(pod, byName.get(owner))),
  );
  const taken = new Set(left.map(({ key }) => key));
  const removed = stored.filter(({ key }) => !taken.has(key)).map(({ key }) => ({ remove: key }));
  if (removed.length === 0 && taken.isSupersetOf(wanted)) return statuses(workloads, left);
  // Of two pods of one name the first counts: those that stay keep their addresses, and nobody else is given one of them.
  const made = podsWith(left.map(({ pod }) => pod)).flatMap((pod) => {
    const workload = pod.spec.owner && byName.get(nameOfOwner(pod.meta.namespace, pod.spec.owner));
    const key = objectKey(pod.meta.namespace, pod.meta.name);
    return workload === undefined || !wanted.has(key) || taken.has(key) ? [] : [printPod(pod, workload)];
  });
  const running = [...left, ...made.map((pod) => ({ owner: ownerOf(pod) }))];
  return [...removed, ...made.map((pod) => ({ put: pod })), ...statuses(workloads, running)];
};

/** The pods that workloads make among the objects. What no API server would have stored makes none. */
const podsOf = (
  objects: readonly WireObject[],
  controlPlaneNamespace: string,
): readonly KubeObject<'Pod'>[] => {
  // One manifest for each: of one that cannot be read nothing counts. Paths are sorted as text.
  const manifests = objects.flatMap((object, at): readonly Manifest[] => {
    const read = draftAll([object]);
    return read.ok ? [{ path: String(at).padStart(9, '0'), ...read.value, state: { kind: 'read' } }] : [];
  });
  return [...composeWorld(manifests, controlPlaneNamespace).objects.values()].filter(
    (object): object is KubeObject<'Pod'> =>
      object.kind === 'Pod' && (object as KubeObject<'Pod'>).spec.owner !== undefined,
  );
};

/** The uid that the server gave it would change its pods': they are then not those of a folder with the same manifest. */
const withoutUid = (workload: WireObject): WireObject => withMeta(workload, { uid: undefined });

const statuses = (
  workloads: readonly WireObject[],
  pods: readonly { readonly owner: string | undefined }[],
): readonly Write[] => {
  const counts = Map.groupBy(pods, ({ owner }) => owner);
  return workloads.flatMap((workload) => {
    const said = fieldsOf(workload.status);
    const status = { ...said, ...statusOf(workload, counts.get(namedBy(workload))?.length ?? 0) };
    return isDeepStrictEqual(status, said) ? [] : [{ put: { ...workload, status } }];
  });
};

const nameOfOwner = (namespace: string, { kind, name }: { readonly kind: string; readonly name: string }) =>
  namedBy({ kind, metadata: { namespace, name } });

/** The workload that controls a pod, by its name; undefined where nothing that is played here does. */
const ownerOf = (pod: WireObject): string | undefined => {
  const { namespace = '', ownerReferences } = metaOf(pod);
  const owner = listOf(ownerReferences)
    .map(fieldsOf)
    .find(({ controller }) => controller === true);
  const kind = textOf(owner?.kind);
  const [group] = splitApiVersion(owner?.apiVersion);
  return isWorkloadKind(group, kind)
    ? nameOfOwner(namespace, { kind, name: textOf(owner?.name) })
    : undefined;
};

const isOfTemplate = (pod: WireObject, workload: WireObject | undefined): boolean => {
  const hash = hashTemplate(fieldsOf(workload?.spec).template);
  const { 'pod-template-hash': ofDeployment, 'controller-revision-hash': ofOthers } =
    metaOf(pod).labels ?? {};
  return (ofDeployment ?? ofOthers ?? '').endsWith(hash);
};
