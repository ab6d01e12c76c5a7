/** What a server knows of one resource: where it is served, and which habits its objects have. */
export interface ResourceType {
  readonly group: string;
  /** The served versions, the preferred one first. */
  readonly versions: readonly string[];
  /** The version that objects are kept in; with conversion `None` the others differ in apiVersion alone. */
  readonly storageVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Words for several kinds at once, such as `all`. */
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Whether `status` is written through its own subresource alone, in each served version. */
  readonly hasStatus: boolean;
  /** Whether `spec.replicas` is also read and written as a Scale, at `scale`. */
  readonly hasScale: boolean;
  /** Whether the server counts changes of anything but metadata and status in metadata.generation. */
  readonly counted: boolean;
  readonly origin: 'built-in' | 'custom';
}

/** A resource's key in the store. */
export const resourceKey = (type: Pick<ResourceType, 'group' | 'plural'>): string =>
  `${type.group}/${type.plural}`;

export const apiVersionOf = (group: string, version: string): string =>
  group === '' ? version : `${group}/${version}`;

/** `everyday`: what `kubectl get all` shows. */
type Habit = 'cluster' | 'status' | 'counted' | 'scaled' | 'everyday';

const builtIn = (
  [group, kind, plural, ...shortNames]: readonly [string, string, string, ...string[]],
  ...habits: readonly Habit[]
): ResourceType => ({
  group,
  versions: ['v1'],
  storageVersion: 'v1',
  kind,
  plural,
  singular: kind.toLowerCase(),
  shortNames,
  categories: habits.includes('everyday') ? ['all'] : [],
  namespaced: !habits.includes('cluster'),
  hasStatus: habits.includes('status'),
  hasScale: habits.includes('scaled'),
  counted: habits.includes('counted'),
  origin: 'built-in',
});

export const crdType = builtIn(
  ['apiextensions.k8s.io', 'CustomResourceDefinition', 'customresourcedefinitions', 'crd', 'crds'],
  'cluster',
  'status',
  'counted',
);
export const namespaceType = builtIn(['', 'Namespace', 'namespaces', 'ns'], 'cluster', 'status');
export const serviceAccountType = builtIn(['', 'ServiceAccount', 'serviceaccounts', 'sa']);
export const nodeType = builtIn(['', 'Node', 'nodes', 'no'], 'cluster', 'status');
export const podType = builtIn(['', 'Pod', 'pods', 'po'], 'status', 'counted', 'everyday');
export const validatingWebhookType = builtIn(
  ['admissionregistration.k8s.io', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'],
  'cluster',
  'counted',
);
export const mutatingWebhookType = builtIn(
  ['admissionregistration.k8s.io', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations'],
  'cluster',
  'counted',
);

/** Who may do what; `rbac.ts` reads them. */
export const rbacTypes: readonly ResourceType[] = [
  builtIn(['rbac.authorization.k8s.io', 'ClusterRole', 'clusterroles'], 'cluster'),
  builtIn(['rbac.authorization.k8s.io', 'ClusterRoleBinding', 'clusterrolebindings'], 'cluster'),
  builtIn(['rbac.authorization.k8s.io', 'Role', 'roles']),
  builtIn(['rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings']),
];

/** The API by which Events are written; core/v1 `events`, by which they are also read, is a store of its own here. */
export const eventType = builtIn(['events.k8s.io', 'Event', 'events', 'ev']);

/** The built-in kinds that a mesh's control plane reads or writes. */
export const builtInTypes: readonly ResourceType[] = [
  namespaceType,
  serviceAccountType,
  podType,
  builtIn(['', 'Service', 'services', 'svc'], 'status', 'everyday'),
  nodeType,
  builtIn(['', 'ConfigMap', 'configmaps', 'cm']),
  builtIn(['', 'Secret', 'secrets']),
  builtIn(['', 'Event', 'events', 'ev']),
  eventType,
  builtIn(['discovery.k8s.io', 'EndpointSlice', 'endpointslices'], 'counted'),
  builtIn(['coordination.k8s.io', 'Lease', 'leases']),
  builtIn(['apps', 'Deployment', 'deployments', 'deploy'], 'status', 'counted', 'scaled', 'everyday'),
  builtIn(['networking.k8s.io', 'NetworkPolicy', 'networkpolicies', 'netpol'], 'counted'),
  builtIn(['policy', 'PodDisruptionBudget', 'poddisruptionbudgets', 'pdb'], 'status', 'counted'),
  builtIn(['apps', 'ReplicaSet', 'replicasets', 'rs'], 'status', 'counted', 'scaled', 'everyday'),
  builtIn(['apps', 'StatefulSet', 'statefulsets', 'sts'], 'status', 'counted', 'scaled', 'everyday'),
  builtIn(['apps', 'DaemonSet', 'daemonsets', 'ds'], 'status', 'counted', 'everyday'),
  builtIn(['batch', 'Job', 'jobs'], 'status', 'counted', 'everyday'),
  ...rbacTypes,
  crdType,
  validatingWebhookType,
  mutatingWebhookType,
];
