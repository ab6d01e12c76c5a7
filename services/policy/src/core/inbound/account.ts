import { bypassOf, skipInboundPortsAnnotation, unreadableSkips } from '@gatehouse/core/mesh/proxy-bypass';
import type { SelectedServers } from '@gatehouse/core/mesh/select-server';
import { printProblem } from '@gatehouse/core/problem';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';
import type { PortRoutes } from './attached-routes.ts';
import type { PortAuthorizations } from './authorize.ts';
import { consequenceOf } from './consequence-of.ts';
import { type Doubt, withheldBy } from './doubt.ts';
import { whyBypassed } from './enforcement.ts';
import type { Governance } from './govern.ts';
import type { PortLimits } from './limit-port.ts';
import {
  type CompiledPort,
  type Contribution,
  type Finding,
  grantsOf,
  type PortInput,
  refOf,
} from './model.ts';
import { printContest } from './print-contest.ts';
import type { RoutedPort } from './route-port.ts';
import type { SelectedPolicies, SelectingPolicy } from './select-policies.ts';
import { tooManySteps } from './too-many-steps.ts';

/** What the steps of a compilation found. */
interface Steps {
  readonly input: PortInput;
  readonly servers: SelectedServers;
  readonly policies: SelectedPolicies;
  readonly governance: Governance;
  readonly doubt: Doubt;
  readonly routes: PortRoutes;
  readonly granted: PortAuthorizations;
  readonly routed: RoutedPort;
  readonly limits: PortLimits;
  /** Policies without rules for which no steps are left. */
  readonly costly: readonly SelectingPolicy[];
}

/** What every object did to the port, and what its author may not expect: for statuses, REST, `check` and explain. */
export const accountOf = (steps: Steps): Pick<CompiledPort, 'contributions' | 'findings'> => ({
  contributions: contributionsOf(steps),
  findings: findingsOf(steps),
});

const contributionsOf = ({
  servers,
  policies,
  doubt,
  routes,
  granted,
  routed,
  limits,
  costly,
}: Steps): readonly Contribution[] => {
  const { governing } = servers;
  const silent = new Set(costly);
  return [
    ...(governing === undefined ? [] : [effectOf(governing, { kind: 'governs' })]),
    ...policies.rejected.map((object) => effectOf(object, { kind: 'closes' })),
    ...policies.enforced.flatMap((policy) => [
      ...(governing === undefined ? [effectOf(policy.object, { kind: 'closes' })] : []),
      ...(grantsNothing(policy, { doubt, routed }) || silent.has(policy) ? [] : grantsBy(policy)),
    ]),
    ...routes.sent.map((route) => effectOf(route, { kind: 'routes' })),
    ...granted.contributions,
    ...limits.applied.map((limit) => effectOf(limit, { kind: 'limits' })),
  ];
};

const effectOf = (object: KubeObject, effect: Contribution['effect']): Contribution => ({
  object: refOf(object),
  effect,
});

const grantsBy = ({ object, grantsOn, sources }: SelectingPolicy): readonly Contribution[] => {
  const grants = grantsOf(sources);
  const kind = grantsOn === 'port' ? 'grants' : 'grants-requests';
  return grants.length === 0 ? [] : [effectOf(object, { kind, grants })];
};

const findingsOf = (steps: Steps): readonly Finding[] => {
  const { input, servers, policies, governance, doubt, routes, granted, routed, limits, costly } = steps;
  const { governing, overlapped } = servers;
  const inForce = [
    ...(governing === undefined ? [] : [governing]),
    ...policies.rejected,
    ...routes.sent,
    ...routes.leftOut,
    ...limits.applied,
  ];
  return [
    ...governance.findings,
    ...inForce.filter(({ spec }) => isRejected(spec)).map(rejected),
    ...overlapped.map((server) => overlappedBy(governing, server, input.port)),
    ...granted.findings,
    ...withheld(policies, doubt),
    ...costly.map(({ object }) => tooManySteps(object, input)),
    ...(input.workload.unread === undefined ? [] : [unreadWorkload(doubt)]),
    ...routed.findings.filter(({ reason }) => reason !== 'ProbeNotOpened' || !admitsAll(governance.base)),
    ...(admitsAll(governance.base) ? [] : probesOverBudget(input)),
    ...(admitsAll(governance.base) ? [] : unopened(input)),
    ...limits.findings,
    ...unenforced(input, policies),
    ...unreadablePorts(input),
    ...contested(steps),
  ];
};

const withheld = ({ enforced }: SelectedPolicies, doubt: Doubt): readonly Finding[] =>
  enforced.flatMap(({ object, grantsOn }) => {
    const finding = withheldBy(doubt, grantsOn);
    return finding === undefined ? [] : [{ ...finding, about: refOf(object) }];
  });

const unreadWorkload = (doubt: Doubt): Finding => ({
  reason: 'InDoubt',
  about: { kind: 'workload' },
  message: doubt.withheld === 'nothing' ? '' : doubt.message,
});

/** Only of policies that grant something: it is not known for whom the others would stand. */
const contested = ({ policies, costly, ...others }: Steps): readonly Finding[] => {
  const silent = new Set(costly);
  const granting = policies.enforced.filter(
    (policy) => !silent.has(policy) && !grantsNothing(policy, others),
  );
  return granting.flatMap(({ object, sources }) =>
    sources
      .flatMap(({ contestedAddresses }) => contestedAddresses)
      .map((contest) => ({
        reason: 'AddressShared' as const,
        about: refOf(object),
        message: printContest(contest),
      })),
  );
};

/** Because its rules have no effect here, or something is in doubt. */
const grantsNothing = (
  { object, grantsOn }: SelectingPolicy,
  { doubt, routed }: Pick<Steps, 'doubt' | 'routed'>,
): boolean =>
  (grantsOn === 'requests' && routed.muted.has(object.meta.name)) ||
  withheldBy(doubt, grantsOn) !== undefined;

/** Where everybody is admitted, no probe needs a door of its own. */
const admitsAll = (base: DefaultPolicy): boolean => base === 'all-unauthenticated' || base === 'audit';

/** Of a pod that has more probes than are kept open, or too long ones; nobody knows which port they are for. */
const probesOverBudget = ({ workload: { shutProbes } }: PortInput): readonly Finding[] =>
  shutProbes === undefined
    ? []
    : [
        {
          reason: 'ProbeNotOpened',
          about: { kind: 'workload' },
          message: `${shutProbes} probes of the pod are over its budget (GATEHOUSE_MAX_PROBES, GATEHOUSE_MAX_PROBE_PATH_SIZE), so they pass only where a policy admits them.`,
        },
      ];

const unopened = ({ workload, port }: PortInput): readonly Finding[] =>
  (workload.unopened ?? [])
    .filter((request) => request.port === port)
    .map(({ kind, path }): Finding => {
      const where = `GET ${path} on port ${port}`;
      const passes = 'it passes only where a policy admits it';
      return kind === 'hook'
        ? {
            reason: 'HookNotOpened',
            about: { kind: 'workload' },
            message: `The lifecycle hook ${where} has effects, so it is not open to everybody as probes are: ${passes}. A hook by exec needs no policy.`,
          }
        : {
            reason: 'ProbeNotOpened',
            about: { kind: 'workload' },
            message: `The HTTPS probe ${where} comes as TLS that the proxy cannot tell from other connections: ${passes}. Probe over HTTP, or by exec.`,
          };
    });

const rejected = (object: KubeObject): Finding => ({
  reason: 'Rejected',
  about: refOf(object),
  message: `It could not be read${problemOf(object)}: ${consequenceOf(object)}.`,
});

/** The first problem; /v1/authorizations and the log have all of them. */
const problemOf = ({ spec }: KubeObject): string => {
  const [first, ...more] = isRejected(spec) ? spec.rejected : [];
  if (first === undefined) return '';
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  return ` (${printProblem(first)}${others})`;
};

const overlappedBy = (
  governing: KubeObject<'Server'> | undefined,
  server: KubeObject<'Server'>,
  port: number,
): Finding => ({
  reason: 'Overlapped',
  about: refOf(server),
  message: `Port ${port} is governed by Server ${governing?.meta.name}, the older one, so this Server has no effect there.`,
});

/** Selected, but no proxy stands before the port. Pods without any proxy have no rows; the status names them. */
const unenforced = (
  { port, workload }: PortInput,
  { enforced, rejected: broken }: SelectedPolicies,
): readonly Finding[] => {
  const bypass = bypassOf(workload, port);
  if (bypass === undefined) return [];
  const why = whyBypassed[bypass];
  return [...enforced.map(({ object }) => object), ...broken].map((object) => ({
    reason: 'Unenforced',
    about: refOf(object),
    message: `Port ${port} is open, not enforced: ${why}.`,
  }));
};

/** Anyone who wrote a name expects that port to bypass the proxy; it does not. */
const unreadablePorts = ({ workload }: PortInput): readonly Finding[] => {
  const items = unreadableSkips(workload.annotations).map((item) => `\`${item}\``);
  if (items.length === 0) return [];
  return [
    {
      reason: 'UnreadablePorts',
      about: { kind: 'workload' },
      message: `The pod's annotation ${skipInboundPortsAnnotation} lists ${items.join(', ')}: not a port or a range of ports, so nothing is skipped by it. Use numbers, such as 8443,9000-9010.`,
    },
  ];
};
