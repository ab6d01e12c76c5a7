import type { AdminCaller } from './authenticator.ts';

/** The API group in which administrators allow what the REST API shows; no API server serves it, and RBAC needs none to. */
export const adminGroup = 'gatehouse.dev';

/** What the REST API shows of a namespace, as RBAC rules name it, and what it is. */
export const adminResources = {
  streams: 'who is connected, by the namespace of the proxy that holds the stream',
  certificates: 'what was issued, by the namespace of the ServiceAccount that it names',
  services: 'the Services that proxies may ask for',
  endpoints: 'where a Service is, as clients are told',
  authorizations: 'who may call whom',
  rollouts: 'on which proxies a policy object is in force, with their addresses',
  workloads: 'what the proxy of a pod or ExternalWorkload is told of its ports',
  outboundpolicies: 'how clients are told to reach a Service',
} as const;

export type AdminResource = keyof typeof adminResources;

/** What a caller needs for a route. Every route says it, or the service does not start. */
export type RouteAccess =
  /** Nothing, not even a token: probes and metrics. */
  | 'open'
  /** Another replica of this service, proved by its certificate; no caller of the REST API is one (design §9.1). */
  | 'replicas'
  /** The permission on its path: facts about the whole mesh, which belong to no namespace. */
  | 'mesh'
  /**
   * Beside the path, `get` on that resource in each namespace that it shows something of. The guard sees to a
   * `namespace` parameter; where a request names none, or another way, the handler does (`permitted.ts`).
   */
  | { readonly reads: AdminResource };

/** The same in words, for OpenAPI and the reference. */
export const printNeeds = (access: Exclude<RouteAccess, 'open'>): string => {
  if (access === 'replicas') return 'For the other replicas of the service alone.';
  const path = 'Callers need `get` on the path';
  if (access === 'mesh') return `${path}.`;
  return `${path}, and on \`${access.reads}.${adminGroup}\` in each namespace that is shown.`;
};

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess;
  }
  interface FastifyRequest {
    /** Set by the guard, except on open routes. */
    caller: AdminCaller | undefined;
  }
}
