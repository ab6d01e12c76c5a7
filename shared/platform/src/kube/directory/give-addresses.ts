import { addressHolder, bySeniority, nameClaimants, printOthers } from '@gatehouse/core/mesh/address-holder';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { assignAddresses, podNetwork, serviceNetwork } from './assign-addresses.ts';
import type { Candidate } from './candidate.ts';

/** What the author of a manifest should know of an address that it writes. */
export interface AddressNote {
  readonly candidate: Candidate;
  readonly text: string;
}

interface Given {
  readonly objects: readonly KubeObject[];
  readonly notes: readonly AddressNote[];
}

/**
 * Gives pods and Services the addresses that their manifests leave out. Those that are written stay, as in a cluster:
 * whose an address is that several write is decided as there (core/mesh/address-holder), and noted.
 */
export const giveAddresses = (candidates: readonly Candidate[]): Given => {
  const pods = give(
    candidates.filter((each) => isOf('Pod', each)),
    {
      network: podNetwork,
      addressesOf: ({ spec }) => spec.ips,
      put: (object, ips) => ({ ...object, spec: { ...object.spec, ips } }),
    },
  );
  const services = give(
    candidates.filter((each) => isOf('Service', each)),
    {
      network: serviceNetwork,
      addressesOf: ({ spec }) => spec.clusterIps,
      put: (object, clusterIps) => ({ ...object, spec: { ...object.spec, clusterIps } }),
    },
  );
  const others = candidates.filter((each) => !isOf('Pod', each) && !isOf('Service', each));
  return {
    objects: [...others, ...pods, ...services].map(({ object }) => object),
    notes: [
      ...sharedBy(pods, ({ spec }) => spec.ips, podContest),
      ...sharedBy(services, ({ spec }) => spec.clusterIps, serviceContest),
    ],
  };
};

const isOf = <K extends Kind>(kind: K, candidate: Candidate): candidate is Candidate<K> =>
  candidate.object.kind === kind;

interface Addresses<K extends Kind> {
  readonly network: number;
  readonly addressesOf: (object: KubeObject<K>) => readonly string[];
  readonly put: (object: KubeObject<K>, addresses: readonly string[]) => KubeObject<K>;
}

const give = <K extends Kind>(
  candidates: readonly Candidate<K>[],
  { network, addressesOf, put }: Addresses<K>,
): readonly Candidate<K>[] => {
  const claims = candidates.map(({ object, wantsAddress }) => ({
    namespace: object.meta.namespace,
    name: object.meta.name,
    explicit: addressesOf(object),
    wants: wantsAddress,
  }));
  const addresses = assignAddresses(claims, network);
  return candidates.map((candidate, at) => {
    const claim = claims[at];
    const assigned = claim && addresses.get(claim);
    return assigned === undefined ? candidate : { ...candidate, object: put(candidate.object, [assigned]) };
  });
};

/** Notes on each address that several have: one for each of them, of what `contest` says of all. */
const sharedBy = <K extends Kind>(
  candidates: readonly Candidate<K>[],
  addressesOf: (object: KubeObject<K>) => readonly string[],
  contest: (objects: readonly KubeObject<K>[]) => Contest<K> | undefined,
): readonly AddressNote[] => {
  const byAddress = Map.groupBy(
    candidates.flatMap((candidate) =>
      addressesOf(candidate.object).map((address) => ({ address, candidate })),
    ),
    ({ address }) => address,
  );
  return [...byAddress].flatMap(([address, having]) => {
    const found = having.length === 1 ? undefined : contest(having.map(({ candidate }) => candidate.object));
    if (found === undefined) return [];
    const named = nameClaimants(found.claimants);
    const byObject = new Map(having.map(({ candidate }) => [candidate.object, candidate]));
    return found.claimants.flatMap((claimant) => {
      const candidate = byObject.get(claimant);
      const { namespace, name } = claimant.meta;
      const text = `${address} is also that of ${printOthers(named, `${namespace}/${name}`)}: ${found.outcome}`;
      return candidate === undefined ? [] : [{ candidate, text }];
    });
  });
};

interface Contest<K extends Kind> {
  readonly claimants: readonly KubeObject<K>[];
  readonly outcome: string;
}

const podContest = (pods: readonly KubeObject<'Pod'>[]): Contest<'Pod'> | undefined => {
  const holder = addressHolder(pods);
  return holder.kind === 'contested'
    ? {
        claimants: holder.claimants,
        outcome: 'nothing tells which pod was given it last, so none is admitted by it',
      }
    : undefined;
};

const serviceContest = (services: readonly KubeObject<'Service'>[]): Contest<'Service'> => {
  const claimants = [...services].sort(bySeniority);
  const [first] = claimants;
  return { claimants, outcome: `${first?.meta.namespace}/${first?.meta.name} answers there` };
};
