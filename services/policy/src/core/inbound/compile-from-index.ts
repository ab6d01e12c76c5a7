import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import { unreadableIn } from '@gatehouse/core/resources/changes';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { compilePort } from './compile.ts';
import type { ClusterConfig, CompiledPort } from './model.ts';
import { authenticationsIn } from './objects-from-index.ts';
import { meshViewOf } from './policy-view.ts';
import { resolveSource } from './resolve-sources.ts';
import { type Target, workloadOf } from './workload-of.ts';

export interface CompileOptions {
  readonly cluster: ClusterConfig;
  readonly matchesRegex: RegexMatcher;
}

/**
 * What the proxy of a pod is told of one of its ports, by a look at everything in the index: nothing is left out and
 * nothing remembered. It costs what the cluster holds; what streams wait on is kept up to date by rows/, which must
 * always give the same.
 */
export const compileFromIndex = (
  index: ResourceIndex,
  target: Target,
  port: number,
  { cluster, matchesRegex }: CompileOptions,
): CompiledPort => {
  const { namespace } = target.meta;
  const view = meshViewOf({
    mesh: cluster.mesh,
    pods: index.all('Pod'),
    namespaces: index.all('Namespace'),
  });
  const here = <K extends Kind>(kind: K): readonly KubeObject<K>[] => [...index.in(kind, namespace).values()];
  return compilePort({
    port,
    workload: workloadOf(target),
    namespaceAnnotations: index.get('Namespace', '', namespace)?.meta.annotations ?? {},
    cluster,
    policies: {
      servers: here('Server'),
      networkAuthenticationPolicies: here('NetworkAuthenticationPolicy').map((object) => ({
        object,
        sources: isRejected(object.spec)
          ? []
          : object.spec.sources.map((source) => resolveSource(source, namespace, view)),
      })),
      authorizationPolicies: here('AuthorizationPolicy'),
      serverAuthorizations: here('ServerAuthorization'),
      rateLimits: here('HTTPLocalRateLimitPolicy'),
      routes: [...here('HTTPRoute'), ...here('GatewayHTTPRoute'), ...here('GRPCRoute')],
    },
    authentications: authenticationsIn(index),
    unreadableManifests: unreadableIn(index.unreadable, namespace).length === 0 ? 'none' : 'some',
    matchesRegex,
  });
};
