import { selects } from '@gatehouse/core/label-selector';
import { type Identity, identityOf, isSameIdentity, type Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import type { ResolvedSource } from '../inbound/model.ts';
import { printContest } from '../inbound/print-contest.ts';
import { dependsOnPods } from '../inbound/resolve-sources.ts';
import { found, type PolicyFinding, podRefs, someOf } from './judgement.ts';
import type { Look } from './look.ts';

/** Where a source stands. */
interface Place {
  readonly namespace: string;
  readonly field: string;
}

/** Clients that a source names and that do not exist, or cannot be recognised. */
export const judgeSource = (
  look: Look,
  source: PolicySource,
  resolved: ResolvedSource,
  place: Place,
): readonly PolicyFinding[] => [
  ...accountsOf(source, place, look.cluster.mesh).flatMap((account) => judgeAccount(look, account)),
  ...(dependsOnPods(source) ? judgeSelected(look, source, resolved, place) : []),
];

export interface NamedAccount {
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
}

/** Whether the ServiceAccount can have a certificate at all. */
export const judgeAccount = (
  look: Look,
  { namespace, name, field }: NamedAccount,
): readonly PolicyFinding[] => {
  if (look.hasAccount(namespace, name)) return [];
  return look.hasNamespace(namespace)
    ? [found('NoSuchServiceAccount', `There is no ServiceAccount ${namespace}/${name}.`, { field })]
    : [
        found(
          'NoSuchNamespace',
          `There is no namespace ${namespace}, and so no ServiceAccount ${namespace}/${name}.`,
          { field },
        ),
      ];
};

const accountsOf = (
  { serviceAccounts = [], identities = [] }: PolicySource,
  { field }: Place,
  mesh: Mesh,
): readonly NamedAccount[] => [
  ...serviceAccounts.map((account, at) => ({ ...account, field: `${field}.serviceAccounts[${at}]` })),
  ...identities.flatMap((match, at) =>
    match.kind === 'exact' ? accountOf(match.identity, mesh, `${field}.identities[${at}]`) : [],
  ),
];

/** Of an identity that names one of this mesh; anyone else may have a certificate from elsewhere. */
export const accountOf = (identity: Identity, mesh: Mesh, field: string): readonly NamedAccount[] =>
  identity.kind === 'workload' &&
  isSameIdentity(identity, identityOf(mesh, identity.namespace, identity.serviceAccount))
    ? [{ namespace: identity.namespace, name: identity.serviceAccount, field }]
    : [];

const judgeSelected = (
  look: Look,
  source: PolicySource,
  { grants, selectedPods, unmeshedPods, hostNetworkPods, contestedAddresses }: ResolvedSource,
  { namespace, field }: Place,
): readonly PolicyFinding[] => {
  const findings: PolicyFinding[] = [];
  if (selectedPods === 0) return [nobodySelected(look, source, { namespace, field })];
  if (unmeshedPods.length > 0) {
    const [is, has] = unmeshedPods.length === 1 ? ['Pod', 'has'] : ['Pods', 'have'];
    findings.push(
      found(
        'SourceUnmeshed',
        `${is} ${someOf(unmeshedPods)} ${has} no proxy, so no identity, and cannot be admitted by labels.`,
        { field, about: podRefs(unmeshedPods) },
      ),
    );
  }
  if (hostNetworkPods.length > 0) {
    const [are, share] = hostNetworkPods.length === 1 ? ['Pod', 'shares'] : ['Pods', 'share'];
    findings.push(
      found(
        'HostNetwork',
        `${are} ${someOf(hostNetworkPods)} ${share} the address of a node with others, and cannot be admitted by it.`,
        { field, about: podRefs(hostNetworkPods) },
      ),
    );
  }
  for (const contest of contestedAddresses.slice(0, mostContests))
    findings.push(found('AddressShared', printContest(contest), { field, about: podRefs([contest.pod]) }));
  if (grants.length === 0 && findings.length === 0) {
    findings.push(
      found('SourceWithoutAddress', `Of the ${selectedPods} pods that it selects none is admitted.`, {
        field,
      }),
    );
  }
  return findings;
};

const mostContests = 5;

const nobodySelected = (
  look: Look,
  { namespaceSelector, podSelector }: PolicySource,
  { namespace, field }: Place,
): PolicyFinding => {
  if (namespaceSelector === undefined)
    return found('NoPodMatches', `It selects no pod of namespace ${namespace}.`, {
      field: `${field}.podSelector`,
    });
  const names = [...look.namespaces()]
    .filter(({ meta }) =>
      selects(namespaceSelector, { ...meta.labels, 'kubernetes.io/metadata.name': meta.name }),
    )
    .map(({ meta }) => meta.name)
    .sort();
  if (names.length === 0)
    return found('NoSuchNamespace', 'No namespace has these labels.', {
      field: `${field}.namespaceSelector`,
    });
  const where = `namespace${names.length === 1 ? '' : 's'} ${someOf(names)}`;
  return found('NoPodMatches', `It selects no pod of ${where}.`, {
    field: podSelector === undefined ? `${field}.namespaceSelector` : `${field}.podSelector`,
  });
};
