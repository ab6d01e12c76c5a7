import { type LabelSelector, selects } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isMeshed } from '@gatehouse/core/mesh/workload';
import { printProblem } from '@gatehouse/core/problem';
import { unreadableIn } from '@gatehouse/core/resources/changes';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { Type } from 'typebox';
import { authorizationsOf } from '../../core/inbound/default-policy.ts';
import type { ClusterConfig, ResolvedSource } from '../../core/inbound/model.ts';
import { authorizationFromIndex, defaultFromIndex } from '../../core/inbound/objects-from-index.ts';
import { printContest } from '../../core/inbound/print-contest.ts';
import { authorizationOf, noNetworks } from '../../core/inbound/server-authorizations.ts';
import { type GrantItem as Granted, GrantItem, grantItem, ObjectName } from './rest-row.ts';

/** What there is to say of policies. */
export interface KnownPolicies {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  /** What the sources of a policy stand for now. */
  readonly sourcesOf: (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];
}

/** One object that lets clients in, or keeps them out, and whom. */
export const AuthorizingObject = Type.Object({
  object: ObjectName,
  state: Type.String({
    description:
      '`enforced`, `audited` (grants and closes nothing), `rejected` (grants nothing, closes what it names), `incomplete` (grants nothing: a reference leads nowhere, or there is no network from which clients could come)',
  }),
  target: Type.String({
    description: 'What it speaks of: pods by their labels, a Server, a route, the namespace',
  }),
  pods: Type.Array(Type.String(), { description: 'For those that select pods: which, at present' }),
  ports: Type.String(),
  base: Type.Union([Type.String(), Type.Null()], {
    description: 'The policy under all grants, where the object decides it; deny shuts everybody else out',
  }),
  requests: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'The only requests that its grants are for; null = all of them, and raw TCP',
  }),
  grants: Type.Array(GrantItem),
  notes: Type.Array(Type.String(), { description: 'What its author should know' }),
});
export type AuthorizingObject = Type.Static<typeof AuthorizingObject>;

type Authorizing =
  | KubeObject<'NetworkAuthenticationPolicy'>
  | KubeObject<'Server'>
  | KubeObject<'AuthorizationPolicy'>
  | KubeObject<'ServerAuthorization'>
  | KubeObject<'Namespace'>;

/** Every object that an authorization can come from, of one namespace or of all. */
export function* authorizingObjects(
  { index }: Pick<KnownPolicies, 'index'>,
  namespace: string | undefined,
): Generator<Authorizing> {
  const objects = <K extends Authorizing['kind']>(kind: K): Iterable<KubeObject<K>> =>
    namespace === undefined ? index.all(kind) : index.in(kind, namespace).values();
  yield* objects('NetworkAuthenticationPolicy');
  yield* objects('Server');
  yield* objects('AuthorizationPolicy');
  yield* objects('ServerAuthorization');
  for (const object of index.all('Namespace')) {
    if (namespace === undefined || object.meta.name === namespace) yield object;
  }
}

/** Whose authorization it is: a namespace's default is its own. */
export const authorizingNamespace = ({ kind, meta }: Authorizing): string =>
  kind === 'Namespace' ? meta.name : meta.namespace;

/** In the order of a list: by namespace, its default first. */
export const authorizingKey = ({ kind, meta }: Authorizing): string =>
  kind === 'Namespace' ? `${meta.name}/` : `${meta.namespace}/${kind}/${meta.name}`;

export const authorizingObject = (object: Authorizing, known: KnownPolicies): AuthorizingObject => {
  switch (object.kind) {
    case 'NetworkAuthenticationPolicy':
      return networkPolicy(object, known);
    case 'Server':
      return server(object, known);
    case 'AuthorizationPolicy':
      return authorizationPolicy(object, known);
    case 'ServerAuthorization':
      return serverAuthorization(object, known);
    case 'Namespace':
      return namespaceDefault(object, known);
  }
};

type Spec = Omit<AuthorizingObject, 'object' | 'grants' | 'notes'> & {
  readonly grants?: readonly Granted[];
  readonly notes?: readonly string[];
};

const item = (
  { kind, meta }: Authorizing,
  { grants = [], notes = [], ...spec }: Spec,
): AuthorizingObject => ({
  object: { kind, namespace: meta.namespace, name: meta.name },
  ...spec,
  grants: [...grants],
  notes: [...notes],
});

const networkPolicy = (
  policy: KubeObject<'NetworkAuthenticationPolicy'>,
  known: KnownPolicies,
): AuthorizingObject => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return rejected(policy, known);
  const sources = known.sourcesOf(policy);
  return item(policy, {
    state: spec.mode === 'Enforce' ? 'enforced' : 'audited',
    target: printSelector(spec.target),
    pods: meshedPods(known, meta.namespace, spec.target),
    ports: printPorts(spec.ports),
    base: spec.mode === 'Enforce' ? 'deny' : null,
    requests: spec.rules === undefined ? null : spec.rules.map(printRule),
    grants: sources.flatMap(({ grants }) => grants.map(grantItem)),
    notes: sources.flatMap(notesOf),
  });
};

const notesOf = ({
  unmeshedPods,
  hostNetworkPods,
  contestedAddresses,
}: ResolvedSource): readonly string[] => [
  ...unmeshedPods.map(
    (pod) => `Pod ${pod} is selected but has no proxy, so no identity, and is not admitted.`,
  ),
  ...hostNetworkPods.map(
    (pod) => `Pod ${pod} is selected but shares its node's address, and is not admitted by it.`,
  ),
  ...contestedAddresses.map(printContest),
];

const server = (object: KubeObject<'Server'>, known: KnownPolicies): AuthorizingObject => {
  const { meta, spec } = object;
  if (isRejected(spec)) return rejected(object, known);
  return item(object, {
    state: 'enforced',
    target: spec.podSelector === undefined ? 'ExternalWorkloads' : printSelector(spec.podSelector),
    pods: spec.podSelector === undefined ? [] : meshedPods(known, meta.namespace, spec.podSelector),
    ports: printPorts([spec.port]),
    base: spec.accessPolicy,
    requests: null,
    grants: authorizationsOf(spec.accessPolicy, known.cluster).map(grantItem),
  });
};

const authorizationPolicy = (
  policy: KubeObject<'AuthorizationPolicy'>,
  { index, cluster }: KnownPolicies,
): AuthorizingObject => {
  const { spec } = policy;
  const authorized = authorizationFromIndex(index, policy, cluster);
  if (isRejected(spec) || authorized === undefined) return grantsNothing(policy);
  const target =
    spec.target.kind === 'Namespace'
      ? 'every Server of the namespace'
      : `${spec.target.kind} ${spec.target.name}`;
  switch (authorized.kind) {
    case 'grants':
      return item(policy, {
        ...nothing,
        state: 'enforced',
        target,
        grants: [grantItem(authorized.authorization)],
      });
    case 'missing':
      return item(policy, {
        ...nothing,
        state: 'incomplete',
        target,
        notes: [`${authorized.reference} does not exist or could not be read.`],
      });
  }
};

const serverAuthorization = (
  policy: KubeObject<'ServerAuthorization'>,
  { cluster }: KnownPolicies,
): AuthorizingObject => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return grantsNothing(policy);
  const { server: meant } = spec;
  const target =
    meant.kind === 'name' ? `Server ${meant.name}` : printSelector(meant.selector, { of: 'Server' });
  const authorization = authorizationOf({ name: meta.name, spec }, cluster);
  return authorization === undefined
    ? item(policy, { ...nothing, state: 'incomplete', target, notes: [noNetworks] })
    : item(policy, { ...nothing, state: 'enforced', target, grants: [grantItem(authorization)] });
};

/** Of a rejected object that closes nothing. */
const grantsNothing = (
  policy: KubeObject<'AuthorizationPolicy'> | KubeObject<'ServerAuthorization'>,
): AuthorizingObject => {
  const notes = isRejected(policy.spec) ? policy.spec.rejected.map(printProblem) : [];
  return item(policy, { ...nothing, state: 'rejected', target: 'nobody knows', notes });
};

const namespaceDefault = (
  object: KubeObject<'Namespace'>,
  { index, cluster }: KnownPolicies,
): AuthorizingObject => {
  const { policy, from, unreadable, grants } = defaultFromIndex(index, object.meta.name, cluster);
  const unread = unreadableIn(index.unreadable, object.meta.name).map(
    ({ path, problem }) =>
      `Deny is in force here, and nothing is granted on single requests, since ${path} was never read: ${printProblem(problem)}.`,
  );
  return item(object, {
    ...nothing,
    state: 'enforced',
    target: `every port of the namespace that nothing above selects, by the ${from}'s default`,
    base: policy,
    grants: grants.map(grantItem),
    notes: [...unread, ...unreadable],
  });
};

/** For those that select no ports themselves. */
const nothing = { pods: [], ports: 'as its target', base: null, requests: null };

const rejected = (
  object: KubeObject<'NetworkAuthenticationPolicy'> | KubeObject<'Server'>,
  known: KnownPolicies,
): AuthorizingObject => {
  const { meta, spec } = object;
  const { closes, rejected: problems } = spec as Extract<typeof spec, { rejected: unknown }>;
  return item(object, {
    state: 'rejected',
    target: printSelector(closes.selector),
    pods: meshedPods(known, meta.namespace, closes.selector),
    ports: printPorts(closes.ports),
    base: 'deny',
    requests: null,
    notes: problems.map(printProblem),
  });
};

const meshedPods = (
  { index, cluster }: KnownPolicies,
  namespace: string,
  selector: LabelSelector,
): string[] =>
  Array.from(index.in('Pod', namespace).values())
    .filter(({ meta }) => isMeshed(meta, cluster.mesh) && selects(selector, meta.labels))
    .map(({ meta }) => meta.name)
    .sort();

const printSelector = (
  { matchLabels, matchExpressions }: LabelSelector,
  { of = 'pod' }: { readonly of?: 'pod' | 'Server' } = {},
): string => {
  const parts = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map((one) =>
      'values' in one
        ? `${one.key} ${one.operator} (${one.values.join(', ')})`
        : `${one.key} ${one.operator}`,
    ),
  ];
  return parts.length === 0 ? `every ${of}` : `${of}s with ${parts.join(', ')}`;
};

const printPorts = (ports: readonly PortSelector[] | 'all'): string => {
  if (ports === 'all') return 'all';
  return ports
    .map((port) => {
      if (port.kind === 'name') return port.name;
      return port.first === port.last ? `${port.first}` : `${port.first}-${port.last}`;
    })
    .join(', ');
};

const printRule = ({ methods = ['*'], paths, headers = [] }: PolicyRule): string =>
  [
    methods.join('|'),
    paths === undefined
      ? '/*'
      : paths
          .map(({ kind, value }) => (kind === 'exact' ? value : `${value.replace(/\/$/, '')}/*`))
          .join('|'),
    ...headers.map(({ name, value }) => `${name}=${value}`),
  ].join(' ');
