import { quoted } from '../foreign-text.ts';
import type { Labels } from '../label-selector.ts';
import { injectionOf, injectValues, type LeftAlone, sayLeftAlone } from '../mesh/injection.ts';
import { skipInboundPortsAnnotation } from '../mesh/proxy-bypass.ts';
import { nearestWord } from '../nearest-word.ts';
import type { Problem } from '../problem.ts';
import { injectAnnotation } from '../resources/annotations.ts';
import { type PodSettings, readProxyAnnotations } from './annotation-table.ts';
import { type Addition, addition, pointer } from './json-patch.ts';
import { longNames, oddities } from './pod-flaws.ts';
import { type PodTemplate, readPodTemplate } from './pod-template.ts';
import type { PodToInject } from './pod-to-inject.ts';
import { type ProxySettings, sharedPorts } from './proxy-settings.ts';
import {
  debugContainer,
  initContainer,
  type Json,
  proxyContainer,
  validatorContainer,
  volumesOf,
} from './sidecar.ts';
import { inboundPortsOf, opaquePortsOf, startPolicyOf } from './start-values.ts';

/** What is the same for every pod of a mesh. */
export interface InjectingMesh {
  readonly settings: ProxySettings;
  /** PEM, and the SHA-256 of that text in hex, by which tools see pods that have old anchors. */
  readonly trustAnchors: { readonly pem: string; readonly sha256: string };
  /** Who injects, for the annotation `linkerd.io/created-by`. */
  readonly createdBy: string;
}

/** What becomes of a pod. The patch is for the template: its paths begin with `/metadata` and `/spec`. */
export type PodInjection =
  | {
      readonly kind: 'injected';
      readonly patch: readonly Addition[];
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: 'left-alone';
      readonly reason: LeftAlone;
      readonly sentence: string;
      /** What it inherits all the same: clients read whether its ports are opaque. */
      readonly patch: readonly Addition[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

const invalid = (problems: readonly Problem[]): PodInjection => ({ kind: 'invalid', problems });

/**
 * What injection does to a pod: the one function behind the webhook and `gatehouse inject`. Whether a pod is injected, and
 * what it inherits from its namespace, says the rule by which folders go, too (mesh/injection.ts).
 */
export const injectPod = (pod: PodToInject, mesh: InjectingMesh): PodInjection => {
  const read = readPodTemplate(pod.template, pod.path);
  if (!read.ok) return invalid(read.problems);
  const template = read.value;
  const outcome = injectionOf(
    {
      namespace: pod.namespace.name ?? '',
      labels: template.labels,
      annotations: template.annotations,
      hostNetwork: template.hostNetwork,
      containers: [...template.initContainers, ...template.containers].map(({ name }) => name),
      isWindows: template.isWindows,
      namespaceAnnotations: pod.namespace.annotations,
    },
    mesh.settings.controlPlaneNamespace,
  );
  if (outcome.kind === 'left-alone') {
    const { reason, annotations } = outcome;
    if (reason === 'unknown-pod-value') return invalid([unknownInject(template.annotations, inPod(pod))]);
    if (reason === 'unknown-namespace-value')
      return invalid([unknownInject(pod.namespace.annotations, inNamespace(pod))]);
    return {
      kind: 'left-alone',
      reason,
      sentence: sayLeftAlone[reason],
      patch: metadataPatch(template, {}, newOnes(annotations, template.annotations)),
    };
  }
  const configured = readProxyAnnotations(
    outcome.annotations,
    withNamespaceEnvironment(pod, mesh.settings),
    (name) => (Object.hasOwn(template.annotations, name) ? inPod(pod) : inNamespace(pod))(name),
  );
  const problems = [
    ...configured.problems,
    ...sharedPorts(configured.settings),
    ...longNames(pod, template, mesh.settings),
  ];
  if (problems.length > 0) return invalid(problems);
  const labels = labelsOf(pod, outcome.labels);
  const annotations = writtenAnnotations(template, outcome.annotations, {
    settings: configured.settings,
    mesh,
  });
  return {
    kind: 'injected',
    patch: [
      ...metadataPatch(template, newOnes(labels.labels, template.labels), annotations),
      ...specPatch(pod, template, { configured, mode: outcome.mode, mesh }),
    ],
    warnings: [...configured.warnings, ...labels.warnings, ...oddities(pod, template, configured.settings)],
  };
};

/** Where an annotation is, for messages. */
const inPod =
  ({ path }: PodToInject) =>
  (name: string): string =>
    `${path === undefined || path === '' ? '' : `${path}.`}metadata.annotations[${name}]`;
const inNamespace =
  ({ namespace }: PodToInject) =>
  (name: string): string =>
    `annotation ${name} of namespace ${namespace.name ?? ''}`.trimEnd();

const unknownInject = (annotations: Labels, whose: (name: string) => string): Problem => {
  const written = annotations[injectAnnotation] ?? '';
  const meant = nearestWord(written, injectValues);
  return {
    field: whose(injectAnnotation),
    found: `${quoted(written)} is not known`,
    fix: `${meant === undefined ? '' : `${meant} is meant? `}use ${injectValues.join(', ')}`,
  };
};

const newOnes = (wanted: Labels, present: Labels): Labels =>
  Object.fromEntries(Object.entries(wanted).filter(([name]) => !Object.hasOwn(present, name)));

/** Of three layers each later one replaces variables by name: settings, namespace, pod. The pod's is read with the others. */
const withNamespaceEnvironment = (pod: PodToInject, settings: ProxySettings): ProxySettings =>
  // A value that cannot be read there is a problem where the pod inherits it, which is where it counts.
  readProxyAnnotations(pickEnvironment(pod.namespace.annotations), settings, inNamespace(pod)).settings;

const additionalEnvironment = 'config.linkerd.io/proxy-additional-env';
const pickEnvironment = (annotations: Labels): Labels => {
  const text = annotations[additionalEnvironment];
  return text === undefined ? {} : { [additionalEnvironment]: text };
};

/** Labels by which dashboards of Linkerd tell workloads apart, where they fit into one. */
const labelsOf = (
  { owner, namespace }: PodToInject,
  labels: Labels,
): { readonly labels: Labels; readonly warnings: readonly string[] } => {
  const written: Record<string, string> = { ...labels };
  const warnings: string[] = [];
  if (namespace.name !== undefined && namespace.name !== '')
    written['linkerd.io/workload-ns'] = namespace.name;
  if (owner !== undefined && ownerKinds.has(owner.kind)) {
    const name = `linkerd.io/proxy-${owner.kind.toLowerCase()}`;
    if (owner.name.length <= 63) written[name] = owner.name;
    else
      warnings.push(`the label ${name} is left out: ${quoted(owner.name, 260)} has more than 63 characters`);
  }
  return { labels: written, warnings };
};

const ownerKinds: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
]);

/** The names of annotations that a pod has from elsewhere, so that `uninject` can tell them from its own. */
export const inheritedAnnotation = 'linkerd.io/inherited-annotations';

/** What is written on every injected pod, beside what it inherits. */
const writtenAnnotations = (
  { annotations }: PodTemplate,
  inherited: Labels,
  { settings, mesh }: { readonly settings: ProxySettings; readonly mesh: InjectingMesh },
): Labels => {
  const { skipInboundPorts } = settings.init;
  // The services know from the pod alone on which of its ports no policy holds.
  const isSkipping = skipInboundPorts !== '' && !Object.hasOwn(annotations, skipInboundPortsAnnotation);
  const taken = {
    ...newOnes(inherited, annotations),
    ...(isSkipping ? { [skipInboundPortsAnnotation]: skipInboundPorts } : {}),
  };
  const names = Object.keys(taken).sort();
  return {
    ...taken,
    ...(names.length === 0 ? {} : { [inheritedAnnotation]: names.join(',') }),
    'linkerd.io/created-by': mesh.createdBy,
    'linkerd.io/proxy-version': settings.proxy.version,
    'linkerd.io/trust-root-sha256': mesh.trustAnchors.sha256,
  };
};

const metadataPatch = ({ has }: PodTemplate, labels: Labels, annotations: Labels): readonly Addition[] => {
  const add = (part: 'labels' | 'annotations', values: Labels): readonly Addition[] => {
    const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return [];
    if (!has[part]) return [addition(pointer('metadata', part), Object.fromEntries(entries))];
    return entries.map(([name, value]) => addition(pointer('metadata', part, name), value));
  };
  const additions = [...add('annotations', annotations), ...add('labels', labels)];
  return has.metadata || additions.length === 0 ? additions : [addition('/metadata', {}), ...additions];
};

interface Configured {
  readonly configured: PodSettings;
  readonly mode: 'sidecar' | 'ingress';
  readonly mesh: InjectingMesh;
}

const specPatch = (
  pod: PodToInject,
  template: PodTemplate,
  { configured, mode, mesh }: Configured,
): readonly Addition[] => {
  const { settings } = configured;
  const { proxy, init } = settings;
  const sidecar = proxyContainer(settings, {
    mode,
    trustAnchors: mesh.trustAnchors.pem,
    defaultInboundPolicy: startPolicyOf(pod, configured),
    inboundPorts: configured.podInboundPorts ?? inboundPortsOf(pod, template),
    opaquePorts: opaquePortsOf(template, configured),
  });
  const first = init.cni ? validatorContainer(settings) : initContainer(settings);
  // The rules come first, then the proxy, so that init containers of the application can use the mesh.
  const initContainers = proxy.nativeSidecar ? [first, sidecar] : [first];
  return [
    ...added('initContainers', initContainers, { isThere: template.has.initContainers, where: 'first' }),
    ...(proxy.nativeSidecar
      ? []
      : // Kubelet starts containers in order and waits for a postStart hook.
        [addition(pointer('spec', 'containers', proxy.await ? 0 : '-'), sidecar)]),
    ...(configured.debug ? [addition(pointer('spec', 'containers', '-'), debugContainer(settings))] : []),
    ...added('volumes', volumesOf(settings), { isThere: template.has.volumes, where: 'last' }),
  ];
};

/** To a list of the pod, which may have to be made. */
const added = (
  list: string,
  items: readonly Json[],
  { isThere, where }: { readonly isThere: boolean; readonly where: 'first' | 'last' },
): readonly Addition[] =>
  isThere
    ? items.map((item, at) => addition(pointer('spec', list, where === 'first' ? at : '-'), item))
    : [addition(pointer('spec', list), items)];
