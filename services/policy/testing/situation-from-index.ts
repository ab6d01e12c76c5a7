import { unreadableIn } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { CompileOptions } from '../src/core/inbound/compile-from-index.ts';
import type { Situation } from './decide/situation.ts';

/** The situation of a port, as `decide` reads it: everything that the index holds. */
export const situationFromIndex = (
  index: ResourceIndex,
  { target, port }: Pick<Situation, 'target' | 'port'>,
  { cluster, matchesRegex }: CompileOptions,
): Situation => {
  const all = <K extends Kind>(kind: K): readonly KubeObject<K>[] => [...index.all(kind)];
  return {
    target,
    port,
    cluster,
    matchesRegex,
    pods: all('Pod'),
    externalWorkloads: all('ExternalWorkload'),
    namespaces: all('Namespace'),
    networkAuthenticationPolicies: all('NetworkAuthenticationPolicy'),
    servers: all('Server'),
    authorizationPolicies: all('AuthorizationPolicy'),
    serverAuthorizations: all('ServerAuthorization'),
    meshTlsAuthentications: all('MeshTLSAuthentication'),
    networkAuthentications: all('NetworkAuthentication'),
    rateLimits: all('HTTPLocalRateLimitPolicy'),
    routes: [...all('HTTPRoute'), ...all('GatewayHTTPRoute'), ...all('GRPCRoute')],
    unreadableManifests: unreadableIn(index.unreadable, target.meta.namespace).length === 0 ? 'none' : 'some',
  };
};
