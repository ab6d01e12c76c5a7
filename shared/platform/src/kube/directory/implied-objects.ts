import { type Unreadable, unreadableIn } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { readObject } from '../read-object.ts';
import { type Candidate, keyOf } from './candidate.ts';
import { fillIn } from './fill-in.ts';

/** Our services; each has a pod and a ServiceAccount of this name, so that it can certify like any workload. */
const services = ['gatehouse-identity', 'gatehouse-destination', 'gatehouse-policy'] as const;

const make = (
  kind: 'Namespace' | 'ServiceAccount' | 'Pod',
  metadata: { readonly name: string; readonly namespace?: string },
  spec?: Readonly<Record<string, unknown>>,
): KubeObject => {
  const read = readObject(kind, fillIn(kind, { apiVersion: 'v1', kind, metadata, spec }));
  if (read.outcome !== 'read') throw new TypeError(`${kind} ${metadata.name} is implied and cannot be read`);
  return read.object;
};

/** The control plane's own pods and ServiceAccounts; unmeshed, since the services serve their own TLS (design §3). */
const controlPlaneObjects = (namespace: string): readonly KubeObject[] =>
  services.flatMap((name) => [
    make('ServiceAccount', { name, namespace }),
    make('Pod', { name, namespace }, { serviceAccountName: name }),
  ]);

/** What a cluster makes by itself: the namespaces that objects are in, and the ServiceAccount `default` of each. */
const namespaceObjects = (namespaces: readonly string[]): readonly KubeObject[] =>
  [...new Set(namespaces)]
    .sort()
    .flatMap((name) => [
      make('Namespace', { name }),
      make('ServiceAccount', { name: 'default', namespace: name }),
    ]);

interface Implying {
  readonly controlPlaneNamespace: string;
  /** The manifests that were never read. */
  readonly unread: Unreadable['manifests'];
}

/**
 * Nobody can say which labels a Namespace has that a manifest may hold which was never read. Its annotations matter to grants on
 * single requests, which such a manifest closes itself.
 */
const asUnread = (object: KubeObject, unread: Unreadable['manifests']): KubeObject =>
  object.kind === 'Namespace' && unreadableIn(unread, object.meta.name).length > 0
    ? { ...object, meta: { ...object.meta, unreadTexts: ['labels'] } }
    : object;

/** Adds what nobody writes: the control plane's own objects, namespaces, their ServiceAccounts. */
export const addImplied = (
  written: readonly Candidate[],
  { controlPlaneNamespace, unread }: Implying,
): readonly Candidate[] => {
  const all = new Map(written.map((candidate) => [keyOf(candidate.object), candidate]));
  const add = (objects: readonly KubeObject[]): void => {
    for (const object of objects) {
      if (all.has(keyOf(object))) continue;
      const known = asUnread(object, unread);
      all.set(keyOf(object), { path: '', object: known, wantsAddress: object.kind === 'Pod' });
    }
  };
  add(controlPlaneObjects(controlPlaneNamespace));
  const namespaces = [...all.values()].map(({ object: { kind, meta } }) =>
    kind === 'Namespace' ? meta.name : meta.namespace,
  );
  // Objects of the cluster are in none.
  add(namespaceObjects(namespaces.filter((name) => name !== '')));
  return [...all.values()];
};
