import type { KubeObject } from './objects/kube-object.ts';

/** Where the objects of a kind are found in the API. */
export interface InstalledKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Cluster' | 'Namespaced';
}

const kind = (
  apiVersion: string,
  name: string,
  scope: InstalledKind['scope'],
  plural = `${name.toLowerCase()}s`,
): InstalledKind => ({ apiVersion, kind: name, plural, scope });

/**
 * Every kind that an installation has or had in an earlier version, in the order in which they are removed: first what calls the
 * services, then the services, then what they need; CustomResourceDefinitions, with which all policies go, are asked for by name.
 */
export const installedKinds: readonly InstalledKind[] = [
  kind('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'Cluster'),
  kind('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'Cluster'),
  kind('apps/v1', 'Deployment', 'Namespaced'),
  kind('policy/v1', 'PodDisruptionBudget', 'Namespaced'),
  kind('networking.k8s.io/v1', 'NetworkPolicy', 'Namespaced', 'networkpolicies'),
  kind('v1', 'Service', 'Namespaced'),
  kind('v1', 'ConfigMap', 'Namespaced'),
  kind('v1', 'Secret', 'Namespaced'),
  kind('rbac.authorization.k8s.io/v1', 'RoleBinding', 'Namespaced'),
  kind('rbac.authorization.k8s.io/v1', 'Role', 'Namespaced'),
  kind('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'Cluster'),
  kind('rbac.authorization.k8s.io/v1', 'ClusterRole', 'Cluster'),
  kind('v1', 'ServiceAccount', 'Namespaced'),
  kind('v1', 'Namespace', 'Cluster'),
];

export const crdKind: InstalledKind = kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'Cluster');

/** Empty for the core group. */
export const groupOf = ({ apiVersion }: InstalledKind): string =>
  apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';

/** The path at which the objects of a kind are listed. */
export const listPath = ({ apiVersion, plural, scope }: InstalledKind, namespace: string): string => {
  const api = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return scope === 'Cluster'
    ? `${api}/${plural}`
    : `${api}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
};

/** An object by its name alone, as `kubectl delete -f` takes it. */
export const named = (
  { apiVersion, kind: name }: InstalledKind,
  metadata: KubeObject['metadata'],
): KubeObject => ({
  apiVersion,
  kind: name,
  metadata: {
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  },
});
