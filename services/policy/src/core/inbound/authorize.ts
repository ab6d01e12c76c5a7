import type {
  Authentication,
  Authorization,
  InboundProtocol,
  Meta,
} from '@gatehouse/core/inbound/inbound-server';
import { everywhere, type NetworkMatch } from '@gatehouse/core/ip-network';
import { identityOf, type Mesh } from '@gatehouse/core/mesh/workload-identity';
import { byAge } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { AuthorizationPolicySpec } from '@gatehouse/core/resources/kinds/linkerd';
import { type PortRoutes, type RouteObject, writtenKindOf } from './attached-routes.ts';
import { clientsOf } from './clients-of.ts';
import { type Doubt, withheldBy } from './doubt.ts';
import { foreignTo } from './foreign-routes.ts';
import { type Authentications, type Contribution, type Finding, type PortInput, refOf } from './model.ts';
import { type Steps, stepsToWrite } from './row-budgets.ts';
import { grantedByServerAuthorizations } from './server-authorizations.ts';
import { tooManySteps } from './too-many-steps.ts';

/** What the AuthorizationPolicies and ServerAuthorizations of a namespace give to a port that a Server governs. */
export interface PortAuthorizations {
  readonly server: readonly Authorization[];
  readonly byRoute: ReadonlyMap<RouteObject, readonly Authorization[]>;
  readonly contributions: readonly Contribution[];
  readonly findings: readonly Finding[];
}

/** Of a port that no Server governs. */
export const noAuthorizations: PortAuthorizations = {
  server: [],
  byRoute: new Map(),
  contributions: [],
  findings: [],
};

/** A port that a Server governs, as far as it is known. */
export interface ServedPort {
  readonly server: KubeObject<'Server'>;
  readonly protocol: InboundProtocol['kind'];
  readonly routes: PortRoutes;
  readonly doubt: Doubt;
  readonly steps: Steps;
}

/**
 * Applies every AuthorizationPolicy whose target is the governing Server, the namespace, or a route attached to the
 * Server, then every ServerAuthorization for the Server; oldest first. Where the Server or the route was rejected they
 * grant nothing: what it still names may be wider than what its author meant, and a typo must not open anything.
 */
export const authorizePort = (input: PortInput, served: ServedPort): PortAuthorizations => {
  const { policies, authentications, cluster } = input;
  const { server, routes, steps } = served;
  const forServer: Authorization[] = [];
  const byRoute = new Map<RouteObject, Authorization[]>();
  const contributions: Contribution[] = [];
  const findings: Finding[] = [];
  const targets = new Map(
    [...routes.sent, ...routes.leftOut, ...routes.foreign].map((route) => [
      targetKey(route.kind, route.meta.name),
      route,
    ]),
  );
  for (const policy of policies.authorizationPolicies.toSorted(byAge)) {
    const { meta, spec } = policy;
    if (isRejected(spec) || meta.namespace !== server.meta.namespace) continue;
    const target = targetOf(spec, server, targets);
    if (target === 'elsewhere') continue;
    const obstacle = obstacleTo(target, served, input.port);
    if (obstacle !== undefined) {
      findings.push({ ...obstacle, about: refOf(policy) });
      continue;
    }
    const authorized = authorizationBy({ meta, spec }, authentications, cluster.mesh);
    if (authorized.kind === 'missing') {
      const message = `${authorized.reference} does not exist or could not be read, so this policy grants nothing.`;
      findings.push({ reason: 'MissingAuthentication', about: refOf(policy), message });
      continue;
    }
    const { authorization } = authorized;
    if (!steps.take(stepsToWrite([authorization]))) {
      findings.push(tooManySteps(policy, input));
      continue;
    }
    if (target === 'server') forServer.push(authorization);
    else {
      const others = byRoute.get(target);
      if (others === undefined) byRoute.set(target, [authorization]);
      else others.push(authorization);
    }
    contributions.push({
      object: refOf(policy),
      effect: { kind: target === 'server' ? 'grants' : 'grants-requests', grants: [authorization] },
    });
  }
  const byServer = grantedByServerAuthorizations(input, {
    server,
    obstacle: obstacleTo('server', served, input.port),
    steps,
  });
  return {
    server: [...forServer, ...byServer.authorizations],
    byRoute,
    contributions: [...contributions, ...byServer.contributions],
    findings: [...findings, ...byServer.findings],
  };
};

/** What keeps a policy from granting anything, whatever it refers to. */
const obstacleTo = (
  target: 'server' | RouteObject,
  { server, protocol, routes, doubt }: ServedPort,
  port: number,
): Pick<Finding, 'reason' | 'message'> | undefined => {
  if (isRejected(server.spec)) {
    const message = `Server ${server.meta.name} could not be read, so this policy grants nothing on its ports.`;
    return { reason: 'TargetRejected', message };
  }
  if (target !== 'server' && routes.foreign.includes(target)) {
    const message = `${foreignTo(protocol, port, target)} So this policy grants nothing there.`;
    return { reason: 'RouteNeedsProtocol', message };
  }
  if (target !== 'server' && isRejected(target.spec)) {
    const message = `${writtenKindOf(target)} ${target.meta.name} could not be read, so this policy grants nothing on its requests.`;
    return { reason: 'TargetRejected', message };
  }
  return withheldBy(doubt, target === 'server' ? 'port' : 'requests');
};

const targetOf = (
  { target }: AuthorizationPolicySpec,
  server: KubeObject<'Server'>,
  attached: ReadonlyMap<string, RouteObject>,
): 'server' | 'elsewhere' | RouteObject => {
  switch (target.kind) {
    case 'Namespace':
      return 'server';
    case 'Server':
      return target.name === server.meta.name ? 'server' : 'elsewhere';
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return attached.get(targetKey(target.kind, target.name)) ?? 'elsewhere';
  }
};

const targetKey = (kind: string, name: string): string => `${kind}/${name}`;

/** What an AuthorizationPolicy admits, or the reference that keeps it from admitting anybody. */
export type Authorized =
  | { readonly kind: 'grants'; readonly authorization: Authorization }
  | { readonly kind: 'missing'; readonly reference: string };

/**
 * Resolves an AuthorizationPolicy's references: identities AND networks must hold, no identity source means anybody, no
 * network source anywhere, an empty list everybody (`contract/linkerd-semantics.md` §2.6). A reference to what does not
 * exist, or was rejected, makes the whole policy grant nothing.
 */
export const authorizationBy = (
  policy: { readonly meta: KubeObject['meta']; readonly spec: AuthorizationPolicySpec },
  authentications: Authentications,
  mesh: Mesh,
): Authorized => {
  let authentication: Authentication = { kind: 'unauthenticated' };
  let networks: readonly NetworkMatch[] = everywhere;
  for (const { kind, namespace, name } of policy.spec.authentications) {
    switch (kind) {
      case 'ServiceAccount':
        authentication = {
          kind: 'identities',
          identities: [identityOf(mesh, namespace, name)],
          suffixes: [],
        };
        break;
      case 'MeshTLSAuthentication': {
        const found = authentications.meshTls.get(`${namespace}/${name}`)?.spec;
        if (found === undefined || isRejected(found)) return missing(kind, namespace, name);
        authentication = clientsOf(found, mesh);
        break;
      }
      case 'NetworkAuthentication': {
        const found = authentications.network.get(`${namespace}/${name}`)?.spec;
        // Without networks it admits nobody, and must not be sent: the proxy would refuse the whole server.
        if (found === undefined || isRejected(found) || found.networks.length === 0) {
          return missing(kind, namespace, name);
        }
        networks = found.networks;
        break;
      }
    }
  }
  const { name } = policy.meta;
  const meta: Meta = {
    kind: 'resource',
    resource: { group: 'policy.linkerd.io', kind: 'authorizationpolicy', name },
  };
  return { kind: 'grants', authorization: { networks, authentication, meta } };
};

const missing = (kind: string, namespace: string, name: string): Authorized => ({
  kind: 'missing',
  reference: `${kind} ${namespace}/${name}`,
});
