import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import {
  judgeAuthentication,
  judgeAuthorizationPolicy,
  judgeRateLimit,
  judgeRoute,
  judgeServerAuthorization,
} from './judge-authorizations.ts';
import { judgeNetworkPolicy, judgeServer } from './judge-selecting.ts';
import { type Judged, type Judgement, judgedKinds } from './judgement.ts';
import type { Look } from './look.ts';

const kinds: ReadonlySet<Kind> = new Set(judgedKinds);

export const isJudged = (object: KubeObject): object is Judged => kinds.has(object.kind);

/** What became of one object; undefined for a route that is not for ports that are called. */
export const judge = (look: Look, object: Judged): Judgement | undefined => {
  if (!isForServers(object)) return undefined;
  switch (object.kind) {
    case 'NetworkAuthenticationPolicy':
      return judgeNetworkPolicy(look, object);
    case 'Server':
      return judgeServer(look, object);
    case 'AuthorizationPolicy':
      return judgeAuthorizationPolicy(look, object);
    case 'ServerAuthorization':
      return judgeServerAuthorization(look, object);
    case 'MeshTLSAuthentication':
    case 'NetworkAuthentication':
      return judgeAuthentication(look, object);
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return judgeRoute(look, object);
    case 'HTTPLocalRateLimitPolicy':
      return judgeRateLimit(look, object);
  }
};

/** Whether it is for ports that are called: a route may be for clients of a Service alone. */
export const isForServers = (object: Judged): boolean => {
  switch (object.kind) {
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return (isRejected(object.spec) ? object.spec.attachedTo : object.spec.servers).length > 0;
    default:
      return true;
  }
};
