import { hasEnded } from '@gatehouse/core/mesh/workload';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { assignAddresses, type Claim, podNetwork, serviceNetwork } from './assign-addresses.ts';
import type { Candidate } from './candidate.ts';

export interface Loss {
  readonly candidate: Candidate;
  readonly text: string;
}

const isOf = <K extends Kind>(kind: K, candidate: Candidate): candidate is Candidate<K> =>
  candidate.object.kind === kind;

const podClaim = ({ object: { meta, spec }, wantsAddress }: Candidate<'Pod'>): Claim => ({
  namespace: meta.namespace,
  name: meta.name,
  explicit: spec.ips,
  wants: wantsAddress,
  shares: hasEnded(spec) ? 'ended' : spec.hostNetwork ? 'its-node' : 'no',
});

const serviceClaim = ({ object: { meta, spec }, wantsAddress }: Candidate<'Service'>): Claim => ({
  namespace: meta.namespace,
  name: meta.name,
  explicit: spec.clusterIps,
  wants: wantsAddress,
  shares: 'no',
});

interface Given<K extends Kind> {
  readonly objects: readonly KubeObject<K>[];
  readonly losses: readonly Loss[];
}

const give = <K extends Kind>(
  candidates: readonly Candidate<K>[],
  network: number,
  {
    claim,
    put,
  }: {
    readonly claim: (candidate: Candidate<K>) => Claim;
    readonly put: (object: KubeObject<K>, addresses: readonly string[]) => KubeObject<K>;
  },
): Given<K> => {
  const owners = new Map(candidates.map((candidate) => [claim(candidate), candidate]));
  const { addresses, contested } = assignAddresses([...owners.keys()], network);
  const losses = contested.flatMap(({ address, claimants }) =>
    claimants.flatMap((claimant) => {
      const candidate = owners.get(claimant);
      const others = claimants
        .filter((other) => other !== claimant)
        .map(({ namespace, name }) => `${namespace}/${name}`);
      return candidate === undefined
        ? []
        : [
            {
              candidate,
              text: `${address} is also claimed by ${others.join(', ')}, so none of them gets it`,
            },
          ];
    }),
  );
  const objects = [...owners].map(([each, { object }]) => put(object, addresses.get(each) ?? []));
  return { objects, losses };
};

/** Gives pods and Services the addresses that their manifests leave out, and takes away those that two claim. */
export const giveAddresses = (candidates: readonly Candidate[]): Given<Kind> => {
  const pods = give(
    candidates.filter((each) => isOf('Pod', each)),
    podNetwork,
    { claim: podClaim, put: (object, ips) => ({ ...object, spec: { ...object.spec, ips } }) },
  );
  const services = give(
    candidates.filter((each) => isOf('Service', each)),
    serviceNetwork,
    {
      claim: serviceClaim,
      put: (object, clusterIps) => ({ ...object, spec: { ...object.spec, clusterIps } }),
    },
  );
  const others = candidates.filter((each) => !isOf('Pod', each) && !isOf('Service', each));
  return {
    objects: [...others.map(({ object }) => object), ...pods.objects, ...services.objects],
    losses: [...pods.losses, ...services.losses],
  };
};
