import { GatehouseError } from '@gatehouse/core/error';
import { claimLabel } from '@gatehouse/core/mesh/injection';
import { defaultInboundPolicyAnnotation, injectAnnotation } from '@gatehouse/core/resources/annotations';
import { Type } from 'typebox';
import { printYaml } from '../../print/output.ts';
import { getObject } from '../../reach/get-object.ts';
import { listObjects } from '../../reach/list-objects.ts';
import { type Injecting, isWire, metadataOf, type Treated, type Wire } from './inject-object.ts';
import type { MeshAtHand, ReachableCluster } from './mesh-at-hand.ts';

/** A namespace as it is to be, and what is in it already. */
export interface NamespaceDefaults {
  /** The Namespace: what it has, and that its pods get a proxy and admit nobody by default. */
  readonly namespace: string;
  readonly treated: Treated;
  /** The same for a manifest of the namespace that is given. */
  readonly wanted: NonNullable<Injecting['defaults']>;
  /** Its workloads as the cluster has them, a manifest each: applied again with the annotation, they roll. */
  readonly workloads: readonly string[];
  /** What cannot be rolled by applying it. */
  readonly left: readonly Treated[];
}

interface Wanted {
  readonly name: string;
  readonly policy: string;
  readonly mode: string;
  readonly mesh: MeshAtHand;
}

/** Labels and annotation: the webhook goes by the labels, pods by the annotation (design §8). */
export const namespaceDefaults = async ({ name, policy, mode, mesh }: Wanted): Promise<NamespaceDefaults> => {
  if (name === mesh.settings.controlPlaneNamespace || name === 'kube-system')
    throw new GatehouseError(
      'invalid-argument',
      `pods of the namespace ${name} are never injected: name another with -n`,
    );
  const live = mesh.cluster === undefined ? undefined : await readNamespace(mesh.cluster, name);
  const metadata = live === undefined ? {} : metadataOf(live);
  const annotations = userAnnotations(metadata.annotations);
  const wanted = { [injectAnnotation]: mode, [defaultInboundPolicyAnnotation]: policy };
  const labels = {
    [injectAnnotation]: 'enabled',
    [claimLabel]: mesh.settings.controlPlaneNamespace,
  };
  const workloads =
    mesh.cluster === undefined || live === undefined ? [] : await readWorkloads(mesh.cluster, name);
  const applied = workloads.filter((one) => one.why === undefined);
  return {
    namespace: asManifest({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { ...(isWire(metadata.labels) ? metadata.labels : {}), ...labels },
        annotations: { ...annotations, ...wanted },
      },
    }),
    wanted: { namespace: name, labels, annotations: wanted },
    treated: {
      kind: 'namespace',
      name,
      patch: [],
      outcome: 'annotated',
      warnings: Object.entries(wanted).flatMap(([key, value]) =>
        annotations[key] === undefined || annotations[key] === value
          ? []
          : [`its annotation ${key} was ${annotations[key]} and becomes ${value}`],
      ),
      problems: [],
    },
    workloads: applied.map(({ object }) => asManifest(object)),
    left: workloads.flatMap(({ object, why }): readonly Treated[] =>
      why === undefined
        ? []
        : [
            {
              kind: `${object.kind}`.toLowerCase(),
              name: `${metadataOf(object).name}`,
              patch: [],
              outcome: 'skipped',
              why,
              warnings: [],
              problems: [],
            },
          ],
    ),
  };
};

const asManifest = (object: unknown): string => `${printYaml(object)}\n`;

const Live = Type.Object({ metadata: Type.Record(Type.String(), Type.Unknown()) });
const Item = Type.Record(Type.String(), Type.Unknown());

const readNamespace = ({ client, signal }: ReachableCluster, name: string): Promise<Wire | undefined> =>
  getObject(client, { path: `/api/v1/namespaces/${encodeURIComponent(name)}`, schema: Live, signal });

interface Workload {
  readonly object: Wire;
  /** Why applying it again does not roll its pods; undefined where it does. */
  readonly why?: string;
}

/** What a namespace may run, and what stands in the way of rolling it. */
const kinds: readonly (readonly [kind: string, apiVersion: string, plural: string, why?: string])[] = [
  ['Deployment', 'apps/v1', 'deployments'],
  ['StatefulSet', 'apps/v1', 'statefulsets'],
  ['DaemonSet', 'apps/v1', 'daemonsets'],
  ['CronJob', 'batch/v1', 'cronjobs'],
  [
    'ReplicaSet',
    'apps/v1',
    'replicasets',
    'a ReplicaSet does not roll its pods: delete them after the namespace was applied',
  ],
  ['Job', 'batch/v1', 'jobs', "a Job's pods cannot change: delete it and create it again"],
  ['Pod', 'v1', 'pods', 'a pod cannot get a proxy once it runs: delete it and create it again'],
];

const readWorkloads = async (cluster: ReachableCluster, namespace: string): Promise<readonly Workload[]> => {
  const found = await Promise.all(
    kinds.map(async ([kind, apiVersion, plural, why]): Promise<readonly Workload[]> => {
      const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
      const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
      const list = await listObjects(cluster.client, { path, schema: Item, signal: cluster.signal });
      return (list ?? [])
        .filter((item) => isOnItsOwn(item) && !isOver(item))
        .map((item) => ({
          object: { apiVersion, kind, ...asWritten(item) },
          ...(why === undefined ? {} : { why }),
        }));
    }),
  );
  return found.flat();
};

/** What another object makes is made again by that one. */
const isOnItsOwn = (object: Wire): boolean => {
  const { ownerReferences } = metadataOf(object);
  return (
    !Array.isArray(ownerReferences) || !ownerReferences.some((one) => isWire(one) && one.controller === true)
  );
};

/** Finished Jobs and pods call nobody any more. */
const isOver = ({ status }: Wire): boolean =>
  isWire(status) &&
  (status.completionTime !== undefined || ['Succeeded', 'Failed'].includes(`${status.phase}`));

/** An object without what the API server and controllers wrote into it: what is left can be applied again. */
const asWritten = (object: Wire): Wire => {
  const { name, namespace, labels, annotations, ownerReferences, finalizers } = metadataOf(object);
  const kept = {
    name,
    namespace,
    labels,
    annotations: userAnnotations(annotations),
    ownerReferences,
    finalizers,
  };
  const metadata = Object.fromEntries(
    Object.entries(kept).filter(
      ([, value]) => value !== undefined && !(isWire(value) && Object.keys(value).length === 0),
    ),
  );
  return { metadata, spec: withoutNulls(object.spec) };
};

const writtenByMachines = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
];

const userAnnotations = (annotations: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(isWire(annotations) ? annotations : {}).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !writtenByMachines.includes(entry[0]),
    ),
  );

/** The API server prints `creationTimestamp: null` in templates. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isWire(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (each === null ? [] : [[name, withoutNulls(each)]])),
  );
};

/** Warns where nobody acts on the annotation. */
export const missingWebhook = async ({ cluster }: MeshAtHand): Promise<readonly string[]> => {
  if (cluster === undefined) return [];
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gatehouse-injector';
  const { status } = await cluster.client.request({ path, signal: cluster.signal });
  return status === 404
    ? [
        'the cluster has no webhook gatehouse-injector: pods get no proxy until `gatehouse install` was applied, or with --manual',
      ]
    : [];
};
