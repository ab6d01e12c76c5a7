import type { Authentication } from '@gatehouse/core/inbound/inbound-server';
import { everywhere, hostNetwork, type IpAddress, type NetworkMatch } from '@gatehouse/core/ip-network';
import { everything, selects } from '@gatehouse/core/label-selector';
import type { IdentityMatch } from '@gatehouse/core/mesh/identity-match';
import { IdentitySet } from '@gatehouse/core/mesh/identity-set';
import {
  type Identity,
  identityOf,
  type Mesh,
  printIdentity,
  type WorkloadIdentity,
} from '@gatehouse/core/mesh/workload-identity';
import { NetworkSet } from '@gatehouse/core/network-set';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import type { Grant, PodContest, ResolvedSource } from './model.ts';
import type { Caller, MeshView } from './policy-view.ts';

/**
 * Who a NetworkAuthenticationPolicy's source admits (design §6.3). All its fields must hold. Labels are not identity, and
 * any pod of a ServiceAccount can obtain its certificate, so a source with selectors admits each selected pod's identity
 * only from the selected pods' own addresses. The answer depends on the source, the policy's namespace and the view
 * alone; sources without selectors depend on the mesh only, and need not be resolved again as pods come and go.
 */
export const resolveSource = (
  source: PolicySource,
  policyNamespace: string,
  view: MeshView,
): ResolvedSource =>
  dependsOnPods(source)
    ? selectedPods(source, policyNamespace, view)
    : {
        grants: source.networks?.length === 0 ? [] : fromAnywhere(source, view.mesh),
        selectedPods: 0,
        unmeshedPods: [],
        hostNetworkPods: [],
        contestedAddresses: [],
      };

/** Whether the source must be resolved again when pods or namespaces change. */
export const dependsOnPods = ({ podSelector, namespaceSelector }: PolicySource): boolean =>
  podSelector !== undefined || namespaceSelector !== undefined;

const fromAnywhere = (source: PolicySource, mesh: Mesh): readonly Grant[] => {
  const networks = source.networks ?? everywhere;
  const { serviceAccounts, identities } = source;
  if (serviceAccounts === undefined && identities === undefined) {
    return [{ networks, authentication: { kind: 'unauthenticated' } }];
  }
  const authentication =
    serviceAccounts === undefined
      ? asListed(identities ?? [])
      : exactly(accountsOf(source, mesh)?.filter(among(identities)) ?? []);
  return authentication.identities.length + authentication.suffixes.length === 0
    ? []
    : [{ networks, authentication }];
};

type Identities = Extract<Authentication, { kind: 'identities' }>;

/** Each once, in the order of their names. */
const exactly = (identities: readonly Identity[]): Identities => ({
  kind: 'identities',
  identities: [...new Map(identities.map((identity) => [printIdentity(identity), identity])).values()].sort(
    byName,
  ),
  suffixes: [],
});

const byName = (a: Identity, b: Identity): number => compareText(printIdentity(a), printIdentity(b));

const asListed = (matches: readonly IdentityMatch[]): Identities => ({
  ...exactly(matches.flatMap((match) => (match.kind === 'exact' ? [match.identity] : []))),
  suffixes: matches.flatMap((match) => (match.kind === 'suffix' ? [match.parts] : [])),
});

const accountsOf = ({ serviceAccounts }: PolicySource, mesh: Mesh): readonly WorkloadIdentity[] | undefined =>
  serviceAccounts?.map(({ namespace, name }) => identityOf(mesh, namespace, name));

/** Whether a workload is among the given matches; no list asks for nothing. */
const among = (matches: readonly IdentityMatch[] | undefined): ((identity: WorkloadIdentity) => boolean) => {
  if (matches === undefined) return () => true;
  const meant = new IdentitySet(matches);
  return (identity) => meant.has(identity);
};

const within = (networks: readonly NetworkMatch[] | undefined): ((ip: IpAddress) => boolean) => {
  if (networks === undefined) return () => true;
  const meant = new NetworkSet(networks);
  return (ip) => meant.has(ip);
};

const selectedPods = (source: PolicySource, policyNamespace: string, view: MeshView): ResolvedSource => {
  const accounts = accountsOf(source, view.mesh)?.map((identity) => ({ kind: 'exact' as const, identity }));
  const [hasAccount, isListed, isWithin] = [
    among(accounts),
    among(source.identities),
    within(source.networks),
  ];
  const unmeshedPods: string[] = [];
  const hostNetworkPods: string[] = [];
  const contestedAddresses: PodContest[] = [];
  const admitted = new Map<string, { readonly identity: WorkloadIdentity; readonly ips: IpAddress[] }>();
  let count = 0;
  for (const { namespace, name, standing } of selectedCallers(source, policyNamespace, view)) {
    count += 1;
    switch (standing.kind) {
      case 'unmeshed':
        unmeshedPods.push(`${namespace}/${name}`);
        break;
      case 'host-network':
        hostNetworkPods.push(`${namespace}/${name}`);
        break;
      case 'meshed': {
        const { identity } = standing;
        if (!hasAccount(identity) || !isListed(identity)) break;
        const known = admitted.get(printIdentity(identity)) ?? { identity, ips: [] };
        for (const ip of standing.addresses) if (isWithin(ip)) known.ips.push(ip);
        admitted.set(printIdentity(identity), known);
        for (const contested of standing.contested) {
          if (!isWithin(contested.ip)) continue;
          contestedAddresses.push({ pod: `${namespace}/${name}`, ...contested });
        }
        break;
      }
    }
  }
  const grants = [...admitted.values()]
    .sort((a, b) => byName(a.identity, b.identity))
    .flatMap(({ identity, ips }): Grant[] => {
      const networks = ips.sort(byAddress).map((ip): NetworkMatch => ({ net: hostNetwork(ip), except: [] }));
      // An authorization without networks would make the proxy refuse the whole server.
      return networks.length === 0 ? [] : [{ networks, authentication: exactly([identity]) }];
    });
  return {
    grants,
    selectedPods: count,
    unmeshedPods: unmeshedPods.sort(compareText),
    hostNetworkPods: hostNetworkPods.sort(compareText),
    contestedAddresses: contestedAddresses.sort((a, b) => compareText(a.pod, b.pod) || byAddress(a.ip, b.ip)),
  };
};

const byAddress = (a: IpAddress, b: IpAddress): number =>
  a.family - b.family || (a.bits < b.bits ? -1 : a.bits > b.bits ? 1 : 0);

/** `podSelector` alone looks in the policy's namespace; a `namespaceSelector` sees only namespaces that are known to exist. */
function* selectedCallers(
  { podSelector = everything, namespaceSelector }: PolicySource,
  policyNamespace: string,
  view: MeshView,
): Generator<Caller> {
  const namespaces =
    namespaceSelector === undefined
      ? [policyNamespace]
      : [...view.namespaces].flatMap(([name, labels]) => (selects(namespaceSelector, labels) ? [name] : []));
  for (const namespace of namespaces) {
    for (const caller of view.callers.get(namespace) ?? []) {
      if (selects(podSelector, caller.labels)) yield caller;
    }
  }
}
