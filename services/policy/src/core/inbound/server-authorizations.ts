import type { Authorization, Meta } from '@gatehouse/core/inbound/inbound-server';
import { selects } from '@gatehouse/core/label-selector';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import { byAge } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ServerAuthorizationSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { clientsOf } from './clients-of.ts';
import { type ClusterConfig, type Contribution, type Finding, type PortInput, refOf } from './model.ts';
import { type Steps, stepsToWrite } from './row-budgets.ts';
import { tooManySteps } from './too-many-steps.ts';

/** What the ServerAuthorizations of a namespace give to a port that a Server governs. */
export interface ServerGrants {
  readonly authorizations: readonly Authorization[];
  readonly contributions: readonly Contribution[];
  readonly findings: readonly Finding[];
}

/** The Server that governs, and what keeps everything from being granted on it. */
export interface GrantedServer {
  readonly server: KubeObject<'Server'>;
  readonly obstacle: Pick<Finding, 'reason' | 'message'> | undefined;
  readonly steps: Steps;
}

/** Applies every ServerAuthorization that names the Server or selects it by its labels; oldest first. */
export const grantedByServerAuthorizations = (
  input: PortInput,
  { server, obstacle, steps }: GrantedServer,
): ServerGrants => {
  const authorizations: Authorization[] = [];
  const contributions: Contribution[] = [];
  const findings: Finding[] = [];
  for (const policy of input.policies.serverAuthorizations.toSorted(byAge)) {
    const { meta, spec } = policy;
    if (isRejected(spec) || meta.namespace !== server.meta.namespace) continue;
    const isMeant = selectsServer(spec, server);
    if (isMeant === 'no') continue;
    const hindrance = obstacle ?? (isMeant === 'nobody-knows' ? unreadLabels(server) : undefined);
    if (hindrance !== undefined) {
      findings.push({ ...hindrance, about: refOf(policy) });
      continue;
    }
    const authorization = authorizationOf({ name: meta.name, spec }, input.cluster);
    if (authorization === undefined) {
      findings.push({ reason: 'NoNetworks', about: refOf(policy), message: noNetworks });
      continue;
    }
    if (!steps.take(stepsToWrite([authorization]))) {
      findings.push(tooManySteps(policy, input));
      continue;
    }
    authorizations.push(authorization);
    contributions.push({ object: refOf(policy), effect: { kind: 'grants', grants: [authorization] } });
  }
  return { authorizations, contributions, findings };
};

/** Of a Server whose labels cannot be read nobody can say which selectors mean it: one may ask for a label to be absent. */
export const selectsServer = (
  { server: meant }: Pick<ServerAuthorizationSpec, 'server'>,
  { meta }: KubeObject<'Server'>,
): 'yes' | 'no' | 'nobody-knows' => {
  switch (meant.kind) {
    case 'name':
      return meant.name === meta.name ? 'yes' : 'no';
    case 'labels':
      if (meta.unreadTexts?.includes('labels')) return 'nobody-knows';
      return selects(meant.selector, meta.labels) ? 'yes' : 'no';
  }
};

const unreadLabels = ({ meta }: KubeObject<'Server'>): Pick<Finding, 'reason' | 'message'> => ({
  reason: 'InDoubt',
  message: `The labels of Server ${meta.name} could not be read, and nobody can say whether this selects it, so it grants nothing there.`,
});

export const noNetworks =
  'It names no networks, which means those of the cluster, and none are configured (GATEHOUSE_CLUSTER_NETWORKS), so it grants nothing.';

/** What a ServerAuthorization admits; undefined where no network is left from which anybody could come. */
export const authorizationOf = (
  { name, spec }: { readonly name: string; readonly spec: ServerAuthorizationSpec },
  { mesh, clusterNetworks }: Pick<ClusterConfig, 'mesh' | 'clusterNetworks'>,
): Authorization | undefined => {
  const networks = spec.networks ?? clusterNetworks;
  // Without networks it must not be sent: the proxy would refuse the whole server.
  if (networks.length === 0) return undefined;
  const meta: Meta = {
    kind: 'resource',
    resource: { group: 'policy.linkerd.io', kind: 'serverauthorization', name },
  };
  return { networks, authentication: authenticationOf(spec, mesh), meta };
};

const authenticationOf = (
  { clients }: ServerAuthorizationSpec,
  mesh: Mesh,
): Authorization['authentication'] => {
  switch (clients.kind) {
    case 'unauthenticated':
    case 'tls':
      return { kind: clients.kind };
    case 'identities': {
      const identityRefs = clients.serviceAccounts.map((ref) => ({
        kind: 'ServiceAccount' as const,
        ...ref,
      }));
      return clientsOf({ identities: clients.identities, identityRefs }, mesh);
    }
  }
};
