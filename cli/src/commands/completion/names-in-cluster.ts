import type { KubeContext } from '@gatehouse/platform/kube/client/client';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { kindOfShort, shortObject } from '../../print/policy-words.ts';
import { listObjects } from '../../reach/list-objects.ts';
import { findMesh } from '../../reach/open-admin.ts';
import type { WantedNames } from './candidates.ts';

/** A person waits at the keyboard: later than this after the cluster was asked, nothing is offered. */
const longestMs = 2_000;

/**
 * The words that name what a cluster has, of the kind that is wanted: the cluster that the line means, asked with what its kubeconfig
 * holds. None where it does not answer in 2 s, may not be asked, or where the line means a mesh that is no cluster. Never throws.
 */
export const namesInCluster = async (
  wanted: WantedNames,
  surroundings: Surroundings,
): Promise<readonly string[]> => {
  try {
    if (wanted.given.dir !== undefined) return [];
    const mesh = await findMesh('policy', wanted.given, surroundings);
    if (mesh.kind !== 'cluster') return [];
    // Counted from here: how long this machine takes to load what asks says nothing about the cluster.
    const signal = AbortSignal.any([AbortSignal.timeout(longestMs), surroundings.interrupted]);
    const { promise: ended, resolve: end } = Promise.withResolvers<readonly string[]>();
    // A credential plugin does not end at a signal.
    signal.addEventListener('abort', () => end([]), { once: true });
    return await Promise.race([ended, listNames(wanted, mesh.cluster, signal).catch(() => [])]);
  } catch {
    return [];
  }
};

const listNames = async (
  { names, begun, given }: WantedNames,
  { client, namespace: usual }: KubeContext,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const list = async (path: string): Promise<readonly string[] | undefined> =>
    (await listObjects(client, { path, schema: Named, signal }))?.map(({ metadata }) => metadata.name);
  const namespace = given.namespace ?? usual;
  switch (names) {
    case 'namespaces':
      return (await list('/api/v1/namespaces')) ?? [];
    case 'pods':
      return workloadNames({ begun, namespace, kinds: {} }, list);
    case 'workloads':
      return workloadNames({ begun, namespace, kinds: ownerPaths }, list);
    case 'policies':
      return policyNames({ begun, namespace }, list);
  }
};

const Named = Type.Object({ metadata: Type.Object({ name: Type.String() }) });

/** The names of a collection; undefined where the kind is not served. */
type List = (path: string) => Promise<readonly string[] | undefined>;

const inNamespace = (api: string, namespace: string, plural: string): string =>
  `${api}/namespaces/${encodeURIComponent(namespace)}/${plural}`;

/** By what a word begins with before its slash. */
const ownerPaths: Readonly<Record<string, string>> = {
  deploy: 'deployments',
  deployment: 'deployments',
  sts: 'statefulsets',
  statefulset: 'statefulsets',
  ds: 'daemonsets',
  daemonset: 'daemonsets',
};

interface Place {
  readonly begun: string;
  readonly namespace: string;
}

/** `POD`, `NAMESPACE/POD` once the namespace is written, and `deploy/NAME` once the kind is. */
const workloadNames = async (
  { begun, namespace, kinds }: Place & { readonly kinds: Readonly<Record<string, string>> },
  list: List,
): Promise<readonly string[]> => {
  const [first = '', second] = begun.split('/');
  if (second === undefined) return (await list(inNamespace('/api/v1', namespace, 'pods'))) ?? [];
  const plural = Object.hasOwn(kinds, first) ? kinds[first] : undefined;
  const path =
    plural === undefined
      ? inNamespace('/api/v1', first, 'pods')
      : inNamespace('/apis/apps/v1', namespace, plural);
  return ((await list(path)) ?? []).map((name) => `${first}/${name}`);
};

/** `nap/NAME`: of the kind that is written, else of all kinds. A kind that may not be listed keeps no other from being offered. */
const policyNames = async ({ begun, namespace }: Place, list: List): Promise<readonly string[]> => {
  const [word = '', name] = begun.split('/');
  const kind = kindOfShort(word).toLowerCase();
  const rows = Object.values(kindTable).filter(
    (row) => row.class === 'policy' && (name === undefined || row.wireKind.toLowerCase() === kind),
  );
  const found = await Promise.all(
    rows.map(async ({ group, versions, plural, wireKind }) => {
      for (const version of versions) {
        const path = inNamespace(`/apis/${group}/${version}`, namespace, plural);
        const names = await list(path).catch(() => undefined);
        if (names !== undefined)
          return names.map((each) =>
            name === undefined ? shortObject({ kind: wireKind, name: each }) : `${word}/${each}`,
          );
      }
      return [];
    }),
  );
  return [...new Set(found.flat())].sort();
};
