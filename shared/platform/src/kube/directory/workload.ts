import type { Parsed, Problem } from '@gatehouse/core/problem';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { Fields, type WireObject } from '../parse/fields.ts';
import { readObject } from '../read-object.ts';
import { controllerLabels, hashTemplate } from './controller-labels.ts';
import { defaultUid } from './default-uid.ts';
import { explicitUid, fillIn, runningStatus } from './fill-in.ts';

export const workloadGroup = 'apps';
export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

export const isWorkloadKind = (group: string, wireKind: string): wireKind is WorkloadKind =>
  group === workloadGroup && (workloadKinds as readonly string[]).includes(wireKind);

/** More would be a slip of the finger, and each replica is an object. */
const mostReplicas = 10_000;
/** Of a StatefulSet's pod: an int32, as Kubernetes has it. */
const highestNumber = 2 ** 31 - 1;

/** A Deployment, StatefulSet or DaemonSet: the pod it makes, and how many of it. */
export interface Workload {
  readonly kind: WorkloadKind;
  /** Bears the workload's own namespace, name and age, and the template's labels, annotations and spec. */
  readonly template: KubeObject<'Pod'>;
  /** DaemonSets run on every node instead. */
  readonly replicas: number;
  /** The number of the first pod: a StatefulSet may begin elsewhere than at 0. */
  readonly firstNumber: number;
  readonly templateHash: string;
  /** The uid that the manifest gives the workload, '' for none: its pods then live another life. */
  readonly life: string;
}

interface ReadWorkload {
  /** Undefined when no API server would have stored it. */
  readonly workload: Workload | undefined;
  readonly problems: readonly Problem[];
}

/** The problems of a pod made from a template, at the place where they were written. */
const inTemplate = (problem: Problem): Problem =>
  problem.field.startsWith('metadata.name')
    ? problem
    : { ...problem, field: `spec.template.${problem.field}` };

export const readWorkload = (
  document: WireObject,
  kind: WorkloadKind,
  budgets?: ObjectBudgets,
): Parsed<ReadWorkload> => {
  const problems: Problem[] = [];
  const body = new Fields(document, '', problems);
  const metadata = body.part('metadata');
  const spec = body.part('spec');
  const replicas = kind === 'DaemonSet' ? 1 : (spec.whole('replicas', 0, mostReplicas) ?? 1);
  const firstNumber =
    kind === 'StatefulSet' ? (spec.part('ordinals').whole('start', 0, highestNumber) ?? 0) : 0;
  const serviceName = kind === 'StatefulSet' ? (spec.text('serviceName') ?? '') : '';
  spec.need('template', 'say what the pods are');
  const template = spec.part('template');
  const templateMeta = template.part('metadata');
  const pod = readObject(
    'Pod',
    fillIn('Pod', {
      apiVersion: 'v1',
      metadata: {
        name: metadata.raw('name'),
        namespace: metadata.raw('namespace'),
        creationTimestamp: metadata.raw('creationTimestamp'),
        labels: templateMeta.raw('labels'),
        annotations: templateMeta.raw('annotations'),
      },
      spec: template.raw('spec'),
      status: runningStatus(undefined),
    }),
    budgets,
  );
  if (pod.outcome === 'unplaced') return { ok: false, problems: pod.problems };
  if (pod.outcome === 'refused') return { ok: true, value: { workload: undefined, problems: pod.problems } };
  const object = pod.object as KubeObject<'Pod'>;
  return {
    ok: true,
    value: {
      workload: {
        kind,
        template: { ...object, spec: { ...object.spec, subdomain: serviceName || object.spec.subdomain } },
        replicas,
        firstNumber,
        templateHash: hashTemplate(spec.raw('template')),
        life: explicitUid(document) ?? '',
      },
      problems: [...problems, ...pod.warnings.map(inTemplate)],
    },
  };
};

/**
 * The pods of a workload, `NAME-0` and so on, as its controller makes them; of a DaemonSet one for each node in the order
 * of names, at least one.
 */
export const expandWorkload = (
  workload: Workload,
  nodes: readonly string[],
): readonly KubeObject<'Pod'>[] => {
  const { kind, template, life, templateHash } = workload;
  const places = kind === 'DaemonSet' && nodes.length > 0 ? nodes : [template.spec.nodeName];
  const count = kind === 'DaemonSet' ? places.length : workload.replicas;
  return Array.from({ length: count }, (_, index) => {
    const number = workload.firstNumber + index;
    const name = `${template.meta.name}-${number}`;
    const made = controllerLabels({ kind, workload: template.meta.name, name, number, templateHash });
    return {
      kind: 'Pod',
      meta: {
        ...template.meta,
        name,
        uid: defaultUid('Pod', template.meta.namespace, name, life),
        labels: { ...template.meta.labels, ...made },
      },
      spec: {
        ...template.spec,
        nodeName: places[index] ?? template.spec.nodeName,
        hostname: kind === 'StatefulSet' ? name : template.spec.hostname,
        owner: { kind, name: template.meta.name },
      },
    };
  });
};
