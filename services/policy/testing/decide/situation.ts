import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ClusterConfig } from '../../src/core/inbound/model.ts';

/** What is called. */
export type Target = KubeObject<'Pod'> | KubeObject<'ExternalWorkload'>;

/** A port of a target, and all the objects that may matter to who can call it, as the index holds them. */
export interface Situation {
  readonly target: Target;
  readonly port: number;
  readonly cluster: ClusterConfig;
  readonly pods: readonly KubeObject<'Pod'>[];
  /** They are called like pods; sources select pods alone by labels, so that `decide` asks none of them. */
  readonly externalWorkloads: readonly KubeObject<'ExternalWorkload'>[];
  readonly namespaces: readonly KubeObject<'Namespace'>[];
  readonly networkAuthenticationPolicies: readonly KubeObject<'NetworkAuthenticationPolicy'>[];
  readonly servers: readonly KubeObject<'Server'>[];
  readonly authorizationPolicies: readonly KubeObject<'AuthorizationPolicy'>[];
  readonly serverAuthorizations: readonly KubeObject<'ServerAuthorization'>[];
  readonly meshTlsAuthentications: readonly KubeObject<'MeshTLSAuthentication'>[];
  readonly networkAuthentications: readonly KubeObject<'NetworkAuthentication'>[];
  readonly routes: readonly Route[];
  readonly rateLimits: readonly KubeObject<'HTTPLocalRateLimitPolicy'>[];
  readonly unreadableManifests: 'none' | 'some';
  readonly matchesRegex: RegexMatcher;
}

export type Route = KubeObject<'HTTPRoute'> | KubeObject<'GatewayHTTPRoute'> | KubeObject<'GRPCRoute'>;
export type Server = KubeObject<'Server'>;
