import { unreadableIn } from '@gatehouse/core/resources/changes';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { type Authorized, authorizationBy } from './authorize.ts';
import { authorizationsOf, defaultPolicyOf, type PortDefault } from './default-policy.ts';
import type { Authentications, ClusterConfig, Grant } from './model.ts';

/** The authentications that policies refer to, by `namespace/name`. */
export const authenticationsIn = (index: ResourceIndex): Authentications => ({
  meshTls: { get: (key) => index.get('MeshTLSAuthentication', ...namesIn(key)) },
  network: { get: (key) => index.get('NetworkAuthentication', ...namesIn(key)) },
});

const namesIn = (key: string): [namespace: string, name: string] => {
  const [namespace = '', name = ''] = key.split('/');
  return [namespace, name];
};

/** What an AuthorizationPolicy admits wherever it applies; undefined for a rejected one. */
export const authorizationFromIndex = (
  index: ResourceIndex,
  { meta, spec }: KubeObject<'AuthorizationPolicy'>,
  { mesh }: ClusterConfig,
): Authorized | undefined =>
  isRejected(spec) ? undefined : authorizationBy({ meta, spec }, authenticationsIn(index), mesh);

/** What governs a namespace's ports where nothing selects them and the pod does not say otherwise. */
export const defaultFromIndex = (
  index: ResourceIndex,
  namespace: string,
  cluster: ClusterConfig,
): PortDefault & { readonly grants: readonly Grant[] } => {
  const namespaceAnnotations = index.get('Namespace', '', namespace)?.meta.annotations ?? {};
  const found = defaultPolicyOf({ port: 0, workload: { annotations: {} }, namespaceAnnotations, cluster });
  const policy = unreadableIn(index.unreadable, namespace).length === 0 ? found.policy : 'deny';
  return { ...found, policy, grants: authorizationsOf(policy, cluster) };
};
