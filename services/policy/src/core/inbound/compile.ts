import type { Authorization } from '@gatehouse/shared/core/inbound-server';
import { listsPort } from '@gatehouse/shared/core/opaque-port';
import { type DefaultPolicy, isRejected, type KubeObject } from '@gatehouse/shared/kube/kinds';
import { attachedTo } from './attached-routes.ts';
import { authorizePort, type PortAuthorizations } from './authorize.ts';
import { authorizationsOf } from './default-policy.ts';
import { govern } from './govern.ts';
import {
  type CompiledPort,
  type Contribution,
  type Finding,
  type Grant,
  type PortInput,
  refOf,
  type Workload,
} from './model.ts';
import { routePort } from './route-port.ts';
import { policyMeta } from './rule-routes.ts';
import { type SelectedPolicies, type SelectingPolicy, selectPolicies } from './select-policies.ts';
import { selectServer } from './select-server.ts';

/**
 * One port's row: who governs it, who is admitted, by which routes (design §6.2–§6.4). Pure: the same input gives a
 * deeply equal row, ties are broken by creation time, then name, and nothing here remembers an earlier row.
 */
export const compilePort = (input: PortInput): CompiledPort => {
  const { port, workload, cluster } = input;
  const servers = selectServer(input.policies.servers, workload, port);
  const policies = selectPolicies(input.policies.networkAuthenticationPolicies, workload, port);
  const governance = govern(input, servers, policies);
  const { governing, overlapped } = servers;
  const attached = governing === undefined ? [] : attachedTo(governing, input.policies.routes);
  const granted = governing === undefined ? nothing : authorizePort(input, governing, attached);
  const ruled = policies.enforced.flatMap(({ object, spec, sources }) =>
    spec.rules === undefined
      ? []
      : [
          {
            ...spec,
            object,
            name: object.meta.name,
            rules: spec.rules,
            authorizations: authorize(object, sources),
          },
        ],
  );
  const routed = routePort({
    input,
    protocol: governance.protocol,
    ruled,
    attached,
    byRoute: granted.byRoute,
  });
  const muted = new Set(routed.muted);
  const authorizations = [
    ...policies.enforced.flatMap(({ object, spec, sources }) =>
      spec.rules === undefined ? authorize(object, sources) : [],
    ),
    ...granted.server,
    ...authorizationsOf(governance.base, cluster),
  ];
  const broken = [...(governing === undefined ? [] : [governing]), ...policies.rejected, ...attached];
  return Object.freeze({
    server: Object.freeze({ protocol: routed.protocol, authorizations, meta: governance.meta }),
    governedBy: governance.governedBy,
    contributions: [
      ...(governing === undefined ? [] : [effectOf(governing, { kind: 'governs' })]),
      ...policies.rejected.map((object) => effectOf(object, { kind: 'closes' })),
      ...policies.enforced.flatMap((policy) =>
        effectsOf(policy, { governs: governing === undefined, muted: muted.has(policy.object.meta.name) }),
      ),
      ...attached.map((route) => effectOf(route, { kind: 'routes' })),
      ...granted.contributions,
    ],
    findings: [
      ...governance.findings,
      ...broken.flatMap((object) => rejection(object, port)),
      ...overlapped.map(
        (server): Finding => ({
          reason: 'Overlapped',
          about: refOf(server),
          message: `Port ${port} is governed by Server ${governing?.meta.name}, the older one, so this Server has no effect there.`,
        }),
      ),
      ...granted.findings,
      ...routed.findings.filter(({ reason }) => reason !== 'ProbeNotOpened' || !admitsAll(governance.base)),
      ...unenforced(port, workload, policies),
    ],
  });
};

/** Where everybody is admitted, no probe needs a door of its own. */
const admitsAll = (base: DefaultPolicy): boolean => base === 'all-unauthenticated' || base === 'audit';

const nothing: PortAuthorizations = { server: [], byRoute: new Map(), contributions: [], findings: [] };

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

const grantsOf = (sources: SelectingPolicy['sources']): readonly Grant[] =>
  sources.flatMap(({ grants }) => grants);

const authorize = (policy: Policy, sources: SelectingPolicy['sources']): readonly Authorization[] =>
  grantsOf(sources).map((grant) => ({ ...grant, meta: policyMeta(policy.meta.name) }));

const effectOf = (object: KubeObject, effect: Contribution['effect']): Contribution => ({
  object: refOf(object),
  effect,
});

const effectsOf = (
  { object, spec, sources }: SelectingPolicy,
  here: { readonly governs: boolean; readonly muted: boolean },
): readonly Contribution[] => {
  const closes = here.governs ? [effectOf(object, { kind: 'closes' })] : [];
  const grants = here.muted ? [] : grantsOf(sources);
  if (grants.length === 0) return closes;
  return [
    ...closes,
    effectOf(object, { kind: spec.rules === undefined ? 'grants' : 'grants-requests', grants }),
  ];
};

const rejection = (object: KubeObject, port: number): readonly Finding[] =>
  isRejected(object.spec)
    ? [
        {
          reason: 'Rejected',
          about: refOf(object),
          message: `It could not be read, so it grants nothing on port ${port} and keeps closed what it still names.`,
        },
      ]
    : [];

export const skipInboundPortsAnnotation = 'config.linkerd.io/skip-inbound-ports';

/** Selected, but no proxy stands before the port. Pods without any proxy have no rows; the status names them. */
const unenforced = (
  port: number,
  { hostNetwork, annotations, ports }: Workload,
  { enforced, rejected }: SelectedPolicies,
): readonly Finding[] => {
  const skipped = listsPort(annotations[skipInboundPortsAnnotation] ?? '', port, ports);
  if (!hostNetwork && !skipped) return [];
  const why = hostNetwork ? 'the pod is on its host network' : 'the port is in skip-inbound-ports';
  return [...enforced.map(({ object }) => object), ...rejected].map((object) => ({
    reason: 'Unenforced',
    about: refOf(object),
    message: `Port ${port} is open, not enforced: ${why}.`,
  }));
};
