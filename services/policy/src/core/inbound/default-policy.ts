import type { Authorization, Meta } from '@gatehouse/core/inbound/inbound-server';
import { everywhere, type NetworkMatch } from '@gatehouse/core/ip-network';
import { hasPort, parsePortSet } from '@gatehouse/core/port-set';
import {
  defaultInboundPolicyAnnotation,
  requireIdentityAnnotation,
} from '@gatehouse/core/resources/annotations';
import { type DefaultPolicy, defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import type { ClusterConfig, PortInput } from './model.ts';

/** The policy of a port that nothing selects, where it comes from, and what of it could not be read. */
export interface PortDefault {
  readonly policy: DefaultPolicy;
  readonly from: 'pod' | 'namespace' | 'cluster';
  /** Sentences about annotations that close the port because nobody can read them. */
  readonly unreadable: readonly string[];
}

type DefaultInput = Pick<PortInput, 'port' | 'namespaceAnnotations' | 'cluster'> & {
  readonly workload: Pick<PortInput['workload'], 'annotations'>;
};

const isDefaultPolicy = (text: string): text is DefaultPolicy =>
  (defaultPolicies as readonly string[]).includes(text);

/** The pod's annotation, else its namespace's, else the cluster's; what cannot be read is deny (design §6.2). */
export const defaultPolicyOf = ({
  port,
  workload,
  namespaceAnnotations,
  cluster,
}: DefaultInput): PortDefault => {
  const own = workload.annotations[defaultInboundPolicyAnnotation];
  const text = own ?? namespaceAnnotations[defaultInboundPolicyAnnotation];
  const from = own !== undefined ? 'pod' : text !== undefined ? 'namespace' : 'cluster';
  if (text !== undefined && !isDefaultPolicy(text)) {
    const message = `The ${from}'s annotation ${defaultInboundPolicyAnnotation} is \`${text}\`, which is not a policy, so deny is in force: use one of ${defaultPolicies.join(', ')}.`;
    return { policy: 'deny', from, unreadable: [message] };
  }
  const policy = text ?? cluster.defaultPolicy;
  const required = workload.annotations[requireIdentityAnnotation];
  if (required === undefined) return { policy, from, unreadable: [] };
  const ports = parsePortSet(required);
  // Nobody knows which ports were meant, so all of them ask for an identity.
  const unreadable = ports.ok
    ? []
    : [
        `The pod's annotation ${requireIdentityAnnotation} is \`${required}\`, which is not a list of ports, so every port requires an identity: use ports 1 to 65535, such as 25,9090-9099.`,
      ];
  const applies = !ports.ok || hasPort(ports.value, port);
  return { policy: applies ? authenticated[policy] : policy, from, unreadable };
};

/** What a policy becomes where a pod requires an identity; as in Linkerd, audit stays as it is. */
const authenticated = {
  'all-unauthenticated': 'all-authenticated',
  'all-authenticated': 'all-authenticated',
  'cluster-unauthenticated': 'cluster-authenticated',
  'cluster-authenticated': 'cluster-authenticated',
  deny: 'deny',
  audit: 'audit',
} as const satisfies Record<DefaultPolicy, DefaultPolicy>;

const anyIdentity = { kind: 'identities', identities: [], suffixes: [[]] } as const;
const anybody = { kind: 'unauthenticated' } as const;

/** What a default policy or a Server's accessPolicy admits (`contract/linkerd-semantics.md` §2.3). */
export const authorizationsOf = (policy: DefaultPolicy, cluster: ClusterConfig): readonly Authorization[] => {
  const meta: Meta = { kind: 'default', name: policy };
  // An authorization without networks would make the proxy refuse the whole server.
  const from = (
    networks: readonly NetworkMatch[],
    authentication: Authorization['authentication'],
  ): readonly Authorization[] => (networks.length === 0 ? [] : [{ networks, authentication, meta }]);
  switch (policy) {
    case 'all-unauthenticated':
      return from(everywhere, anybody);
    case 'all-authenticated':
      return from(everywhere, anyIdentity);
    case 'cluster-unauthenticated':
      return from(cluster.clusterNetworks, anybody);
    case 'cluster-authenticated':
      return from(cluster.clusterNetworks, anyIdentity);
    case 'audit':
      return from(everywhere, anybody);
    case 'deny':
      return [];
  }
};
