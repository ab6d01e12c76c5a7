import type { InboundProtocol, Meta } from '@gatehouse/core/inbound/inbound-server';
import { isListedOpaque } from '@gatehouse/core/mesh/opaque-port';
import type { SelectedServers } from '@gatehouse/core/mesh/select-server';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { DefaultPolicy, ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { defaultPolicyOf } from './default-policy.ts';
import { type Finding, type GovernedBy, type PortInput, refOf } from './model.ts';
import type { SelectedPolicies } from './select-policies.ts';

/** What decides a port before anything is granted: who governs it, its protocol, what is open by itself. */
export interface Governance {
  readonly governedBy: GovernedBy;
  readonly base: DefaultPolicy;
  readonly protocol: InboundProtocol['kind'];
  readonly meta: Meta;
  readonly findings: readonly Finding[];
}

/**
 * The order of design §6.2: a Server, else Enforce NetworkAuthenticationPolicies, else the default policy. Whatever
 * governs, the base is deny where something rejected still names the port, a manifest was never read that may do so, or
 * nobody can say which policies are for the pod.
 */
export const govern = (
  input: PortInput,
  servers: SelectedServers,
  policies: SelectedPolicies,
): Governance => {
  const isUnread = input.workload.unread !== undefined;
  const closed = isUnread || policies.rejected.length > 0 || input.unreadableManifests === 'some';
  const { governing } = servers;
  if (governing !== undefined) {
    const rejected = isRejected(governing.spec);
    const base = closed || isRejected(governing.spec) ? 'deny' : governing.spec.accessPolicy;
    return {
      governedBy: { kind: 'server', server: refOf(governing), base },
      base,
      protocol: protocolUnder(governing) ?? 'detect',
      meta: {
        kind: 'resource',
        resource: { group: 'policy.linkerd.io', kind: 'server', name: governing.meta.name },
      },
      findings: rejected ? [] : openedByServer(input.port, governing.meta.name, base, policies),
    };
  }
  const protocol = protocolWithoutServer(input);
  const deny = { base: 'deny', protocol, meta: { kind: 'default', name: 'deny' }, findings: [] } as const;
  const closers = [...policies.enforced.map(({ object }) => object), ...policies.rejected];
  if (closers.length > 0) {
    const refs = closers.map(refOf);
    return { ...deny, governedBy: { kind: 'network-authentication-policies', policies: refs } };
  }
  if (isUnread) return { ...deny, governedBy: { kind: 'unreadable-pod' } };
  if (closed) return { ...deny, governedBy: { kind: 'unreadable-manifest' } };
  const { policy, from, unreadable } = defaultPolicyOf(input);
  return {
    governedBy: { kind: 'default-policy', base: policy, from },
    base: policy,
    protocol,
    meta: { kind: 'default', name: policy },
    findings: unreadable.map((message) => ({
      reason: 'UnreadableDefault',
      about: { kind: 'workload' },
      message,
    })),
  };
};

/** What a Server makes the port speak; undefined = it was rejected, and nobody can say. */
export const protocolUnder = ({ spec }: KubeObject<'Server'>): InboundProtocol['kind'] | undefined =>
  spec.proxyProtocol === undefined ? undefined : protocols[spec.proxyProtocol];

export const protocolWithoutServer = ({ workload, port, cluster }: PortInput): 'opaque' | 'detect' =>
  isListedOpaque(workload, port, cluster.defaultOpaquePorts) ? 'opaque' : 'detect';

const protocols = {
  unknown: 'detect',
  'HTTP/1': 'http1',
  'HTTP/2': 'http2',
  gRPC: 'grpc',
  opaque: 'opaque',
  TLS: 'tls',
} as const satisfies Record<ServerSpec['proxyProtocol'], InboundProtocol['kind']>;

const openedByServer = (
  port: number,
  server: string,
  base: DefaultPolicy,
  { enforced }: SelectedPolicies,
): readonly Finding[] =>
  base === 'deny'
    ? []
    : enforced.map(({ object }) => ({
        reason: 'OpenedByServer',
        about: refOf(object),
        message: `Port ${port} is governed by Server ${server}, whose accessPolicy ${base} admits more than this policy.`,
      }));
