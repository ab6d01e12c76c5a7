import type { Authentication, Authorization, InboundServer } from '@gatehouse/shared/core/inbound-server';
import { everywhere, type IpNetwork, type NetworkMatch } from '@gatehouse/shared/core/ip-network';
import { type Parsed, parsed, problem } from '@gatehouse/shared/core/problem';

/** What decides a port until its first row has come (contract/proxy.md §2.5). */
export type DefaultPolicy =
  /** Nobody, not even localhost, which every row of the control plane admits. */
  { readonly kind: 'deny' } | { readonly kind: 'row'; readonly server: InboundServer };

export interface DefaultPolicyOptions {
  /** Empty = the policies that speak of the cluster are not available. */
  readonly clusterNetworks: readonly IpNetwork[];
  readonly detectTimeoutMs: number;
}

const unauthenticated: Authentication = { kind: 'unauthenticated' };
const anyIdentity: Authentication = { kind: 'identities', identities: [], suffixes: [[]] };

/** Makes the parser of `LINKERD2_PROXY_INBOUND_DEFAULT_POLICY`. */
export const parseDefaultPolicy =
  ({ clusterNetworks, detectTimeoutMs }: DefaultPolicyOptions) =>
  (name: string, field: string): Parsed<DefaultPolicy> => {
    const cluster: readonly NetworkMatch[] = clusterNetworks.map((net) => ({ net, except: [] }));
    const row = (...grants: readonly Pick<Authorization, 'networks' | 'authentication'>[]) =>
      parsed<DefaultPolicy>({
        kind: 'row',
        server: {
          protocol: { kind: 'detect', timeoutMs: detectTimeoutMs, routes: [] },
          authorizations: grants.map((grant) => ({ ...grant, meta: { kind: 'default', name } })),
          meta: { kind: 'default', name },
        },
      });
    const inCluster = (authentication: Authentication): Parsed<DefaultPolicy> =>
      cluster.length > 0
        ? row({ networks: cluster, authentication })
        : problem(field, `\`${name}\` needs networks`, 'set LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS');
    switch (name) {
      case 'deny':
        return parsed({ kind: 'deny' });
      case 'all-unauthenticated':
      case 'audit':
        return row({ networks: everywhere, authentication: unauthenticated });
      case 'all-authenticated':
        return row({ networks: everywhere, authentication: anyIdentity });
      case 'cluster-unauthenticated':
        return inCluster(unauthenticated);
      case 'cluster-authenticated':
        return inCluster(anyIdentity);
      default:
        return problem(
          field,
          `\`${name}\` is no default policy`,
          'use deny, all-unauthenticated, all-authenticated, cluster-unauthenticated, cluster-authenticated or audit',
        );
    }
  };
