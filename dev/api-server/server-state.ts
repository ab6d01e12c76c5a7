import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { typeOfCrd } from './custom-types.ts';
import { builtInTypes, crdType, type ResourceType, resourceKey } from './resource-types.ts';
import type { Store } from './store.ts';

/** Who a request comes from, as TokenReview and webhooks are told. */
export interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What the parts of the server share: one for each run; a restart makes another. */
export interface ServerState {
  readonly store: Store;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /**
   * Whether what a controller manager and kubelet would do is done at once: a new namespace gets its ServiceAccount `default`, one
   * that is deleted is emptied and gone, and so is a pod; workloads have their pods (play-workloads.ts).
   */
  readonly controllers?: boolean;
}

/** The types that are served now: the built-in ones, and those whose CRD is there. */
export const servedTypes = (store: Store): readonly ResourceType[] => [
  ...builtInTypes,
  ...[...store.list(resourceKey(crdType))].map(([, crd]) => typeOfCrd(crd)),
];

/** The type served at a path; undefined when there is none in that version. */
export const servedAt = (
  store: Store,
  at: { readonly group: string; readonly version: string; readonly resource: string },
): ResourceType | undefined =>
  servedTypes(store).find(
    ({ group, versions, plural }) =>
      plural === at.resource && group === at.group && versions.includes(at.version),
  );

/** The type of an object by its own apiVersion and kind; undefined when it is not served. */
export const typeOfObject = (store: Store, object: WireObject): ResourceType | undefined => {
  const [group, version] = splitApiVersion(object.apiVersion);
  return servedTypes(store).find(
    (type) => type.group === group && type.kind === object.kind && type.versions.includes(version),
  );
};

/** Group and version of an apiVersion; `v1` is version v1 of the group without a name. */
export const splitApiVersion = (apiVersion: unknown): readonly [group: string, version: string] => {
  const text = typeof apiVersion === 'string' ? apiVersion : '';
  const slash = text.indexOf('/');
  return slash === -1 ? ['', text] : [text.slice(0, slash), text.slice(slash + 1)];
};
