import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
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
