import type { Definition } from './definition.ts';
import { authorizationPolicy } from './kinds/authorization-policy.ts';
import { egressNetwork } from './kinds/egress-network.ts';
import { externalWorkload } from './kinds/external-workload.ts';
import { httpLocalRateLimitPolicy } from './kinds/http-local-rate-limit-policy.ts';
import { httpRoute } from './kinds/http-route.ts';
import { meshTlsAuthentication } from './kinds/mesh-tls-authentication.ts';
import { networkAuthentication } from './kinds/network-authentication.ts';
import { networkAuthenticationPolicy } from './kinds/network-authentication-policy.ts';
import { server } from './kinds/server.ts';
import { serverAuthorization } from './kinds/server-authorization.ts';
import { serviceProfile } from './kinds/service-profile.ts';

/** Every kind that we install. Those of Gateway API are the cluster's own. */
export const definitions: readonly Definition[] = [
  networkAuthenticationPolicy,
  server,
  serverAuthorization,
  authorizationPolicy,
  meshTlsAuthentication,
  networkAuthentication,
  httpRoute,
  httpLocalRateLimitPolicy,
  egressNetwork,
  serviceProfile,
  externalWorkload,
];
