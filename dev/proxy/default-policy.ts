import type { EnforcedServer } from '@gatehouse/core/inbound/evaluate-inbound';
import type { Authentication } from '@gatehouse/core/inbound/inbound-server';
import { everywhere, type IpNetwork, type NetworkMatch } from '@gatehouse/core/ip-network';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

export interface DefaultPolicyOptions {
  /** Empty = the policies that speak of the cluster are not available. */
  readonly clusterNetworks: readonly IpNetwork[];
  readonly detectTimeoutMs: number;
}

const unauthenticated: Authentication = { kind: 'unauthenticated' };
const anyIdentity: Authentication = { kind: 'identities', identities: [], suffixes: [[]] };

/**
 * Makes the parser of `LINKERD2_PROXY_INBOUND_DEFAULT_POLICY`: what decides a port until its first row has come
 * (contract/proxy.md §2.5). None of these admits localhost by itself, as every row of the control plane does.
 */
export const parseDefaultPolicy =
  ({ clusterNetworks, detectTimeoutMs }: DefaultPolicyOptions) =>
  (name: string, field: string): Parsed<EnforcedServer> => {
    const cluster: readonly NetworkMatch[] = clusterNetworks.map((net) => ({ net, except: [] }));
    const meta = { kind: 'default', name } as const;
    const admit = (networks: readonly NetworkMatch[], authentication: Authentication) =>
      networks.length > 0
        ? parsed<EnforcedServer>({
            protocol: { kind: 'detect', timeoutMs: detectTimeoutMs, routes: [] },
            authorizations: [{ networks, authentication, meta }],
            meta,
            admitsLocalhost: false,
          })
        : problem(field, `\`${name}\` needs networks`, 'set LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS');
    switch (name) {
      case 'deny':
        return parsed(denyAll);
      case 'all-unauthenticated':
      case 'audit':
        return admit(everywhere, unauthenticated);
      case 'all-authenticated':
        return admit(everywhere, anyIdentity);
      case 'cluster-unauthenticated':
        return admit(cluster, unauthenticated);
      case 'cluster-authenticated':
        return admit(cluster, anyIdentity);
      default:
        return problem(
          field,
          `\`${name}\` is not a valid default policy`,
          'use deny, all-unauthenticated, all-authenticated, cluster-unauthenticated, cluster-authenticated or audit',
        );
    }
  };

/** Opaque and without authorizations: every connection is closed before anything of it is read. */
export const denyAll: EnforcedServer = {
  protocol: { kind: 'opaque' },
  authorizations: [],
  meta: { kind: 'default', name: 'deny' },
  admitsLocalhost: false,
};
