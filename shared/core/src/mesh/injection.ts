import type { Labels } from '../label-selector.ts';
import { defaultInboundPolicyAnnotation, injectAnnotation } from '../resources/annotations.ts';
import { opaquePortsAnnotation } from './opaque-port.ts';
import { controlPlaneLabel } from './workload.ts';

/** A pod as it is about to be created, and the namespace in which it is. */
export interface NewPod {
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly hostNetwork: boolean;
  /** Its containers' names, those of init containers too; absent where they are not known. */
  readonly containers?: readonly string[];
  readonly isWindows?: boolean;
  /** Those of its Namespace; none when nobody knows it. */
  readonly namespaceAnnotations: Labels;
}

/** What a pod becomes. Its annotations are all that it bears then, those of its namespace included. */
export type Injection =
  | {
      readonly kind: 'injected';
      /** In ingress mode the proxy routes by the host that a request names, not by where it was sent. */
      readonly mode: Mode;
      readonly labels: Labels;
      readonly annotations: Labels;
    }
  | { readonly kind: 'left-alone'; readonly reason: LeftAlone; readonly annotations: Labels };

export type LeftAlone =
  /** Its traffic would be its node's: the proxy's rules for it would catch that of every other pod there. */
  | 'host-network'
  /** It is already of a mesh. */
  | 'has-proxy'
  /** A proxy of Istio is in it: two that redirect one pod's traffic fight over it. */
  | 'foreign-proxy'
  /** There is no proxy for Windows. */
  | 'windows'
  /** The control plane serves its own TLS, and must come up before any pod can be injected; so must kube-system. */
  | 'never-here'
  /** Neither the pod nor its namespace asks for it. */
  | 'not-asked-for'
  | 'disabled'
  /** What its annotation says, or its namespace's, means nothing. */
  | 'unknown-pod-value'
  | 'unknown-namespace-value';

/**
 * Of a Namespace: its value is the namespace of the control plane that injects there. It is not Linkerd's label of pods: `linkerd
 * uninstall` prints every Namespace that has that one, for kubectl to delete.
 */
export const claimLabel = 'gatehouse.dev/control-plane-ns';

const modes = { enabled: 'sidecar', ingress: 'ingress' } as const;
type Mode = (typeof modes)[keyof typeof modes];

/** What the annotation may say; as nothing counts what is empty. */
export const injectValues = ['enabled', 'ingress', 'disabled'] as const;
type InjectValue = (typeof injectValues)[number];

const askedBy = (annotations: Labels): InjectValue | 'nothing' | 'unknown' => {
  const written = annotations[injectAnnotation] ?? '';
  return written === '' ? 'nothing' : (injectValues.find((value) => value === written) ?? 'unknown');
};

/** The pod's annotation, else its namespace's. A namespace whose value means nothing has no pod injected, as in Linkerd. */
const asked = (pod: NewPod): Mode | LeftAlone => {
  const [own, inherited] = [askedBy(pod.annotations), askedBy(pod.namespaceAnnotations)];
  if (inherited === 'unknown') return 'unknown-namespace-value';
  if (own === 'unknown') return 'unknown-pod-value';
  const value = own === 'nothing' ? inherited : own;
  if (value === 'nothing') return 'not-asked-for';
  return value === 'disabled' ? 'disabled' : modes[value];
};

const reasonToLeaveAlone = (pod: NewPod, controlPlaneNamespace: string): LeftAlone | undefined => {
  const { containers = [] } = pod;
  if (
    Object.hasOwn(pod.labels, controlPlaneLabel) ||
    containers.some((name) => proxyContainers.includes(name))
  )
    return 'has-proxy';
  if (containers.some((name) => foreignContainers.includes(name))) return 'foreign-proxy';
  if (pod.namespace === controlPlaneNamespace || pod.namespace === 'kube-system') return 'never-here';
  if (pod.hostNetwork) return 'host-network';
  return pod.isWindows === true ? 'windows' : undefined;
};

const proxyContainers = ['linkerd-proxy', 'linkerd-init'];
const foreignContainers = ['istio-proxy', 'istio-init'];

/** Why a pod got no proxy, for people. */
export const sayLeftAlone: Readonly<Record<LeftAlone, string>> = {
  'host-network': 'it is on its host network',
  'has-proxy': 'it has a proxy already',
  'foreign-proxy': 'it has a proxy of Istio',
  'never-here': 'pods of the control plane and of kube-system are never injected',
  windows: 'it runs on Windows, for which there is no proxy',
  'not-asked-for': `neither it nor its namespace has the annotation ${injectAnnotation}: enabled`,
  disabled: `the annotation ${injectAnnotation} says disabled`,
  'unknown-pod-value': `its annotation ${injectAnnotation} has a value that means nothing`,
  'unknown-namespace-value': `its namespace's annotation ${injectAnnotation} has a value that means nothing`,
};

/**
 * What injecting does to a pod, or why nothing: the one rule for the webhook, `gatehouse inject`, and the folder, whose
 * pods are as they would be after the webhook (design §15.8). It is Linkerd's, so that its manifests mean the same here.
 */
export const injectionOf = (pod: NewPod, controlPlaneNamespace: string): Injection => {
  const outcome = reasonToLeaveAlone(pod, controlPlaneNamespace) ?? asked(pod);
  if (outcome !== 'sidecar' && outcome !== 'ingress') {
    const annotations = inherit(pod.annotations, pod.namespaceAnnotations, isForEverybody);
    return { kind: 'left-alone', reason: outcome, annotations };
  }
  return {
    kind: 'injected',
    mode: outcome,
    labels: { ...pod.labels, [controlPlaneLabel]: controlPlaneNamespace },
    annotations: inherit(pod.annotations, pod.namespaceAnnotations, isProxyConfiguration),
  };
};

/** What a Service bears: clients ask it, not its pods, whether a port is opaque. */
export const annotationsOfService = (annotations: Labels, namespaceAnnotations: Labels): Labels =>
  inherit(annotations, namespaceAnnotations, isForEverybody);

/** Clients' proxies read it of pods and Services that have no proxy, too. */
const isForEverybody = (name: string): boolean => name === opaquePortsAnnotation;

/**
 * A namespace's settings of proxies, that a pod keeps as they are when it is made. Not its default inbound policy: that is read
 * from the namespace as it is now, and a copy would freeze it (design §6.2); nor what is said to webhooks.
 */
const isProxyConfiguration = (name: string): boolean =>
  /^config\.(?:alpha\.|beta\.)?linkerd\.io\//.test(name) &&
  name !== defaultInboundPolicyAnnotation &&
  name !== 'config.linkerd.io/admission-webhooks';

/** The annotations of an object's own win. */
const inherit = (own: Labels, fromNamespace: Labels, isInherited: (name: string) => boolean): Labels => {
  const inherited = Object.entries(fromNamespace).filter(([name]) => isInherited(name));
  return inherited.length === 0 ? own : { ...Object.fromEntries(inherited), ...own };
};
