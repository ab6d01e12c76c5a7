import { everything, type LabelSelector, selects } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { printProblem } from '@gatehouse/core/problem';
import { unreadableIn } from '@gatehouse/core/resources/changes';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type {
  AuthorizationPolicySpec,
  ServerAuthorizationSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { type JudgedSelection, judgeSelection } from '../../core/answers/judge-selection.ts';
import type { JudgedPod } from '../../core/answers/pods-by-labels.ts';
import { whatIsMissing } from '../../core/answers/what-is-missing.ts';
import { authorizationsOf } from '../../core/inbound/default-policy.ts';
import { type ClusterConfig, grantsOf, type ResolvedSource, refOf } from '../../core/inbound/model.ts';
import { authorizationFromIndex, defaultFromIndex } from '../../core/inbound/objects-from-index.ts';
import { printContest } from '../../core/inbound/print-contest.ts';
import { authorizationOf, noNetworks, selectsServer } from '../../core/inbound/server-authorizations.ts';
import type { AuthorizingObject, PortsItem, TargetItem } from './rest-authorizing-object.ts';
import { portsItem, ruleItem } from './rest-authorizing-object.ts';
import { grantItem, printSelector, selectorItem, sourceItem } from './rest-grant.ts';
import { objectName } from './rest-object.ts';

/** What there is to say of policies. */
export interface KnownPolicies {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  /** What the sources of a policy stand for now. */
  readonly sourcesOf: (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];
}

/** The same, and the pods that a selector of one of the objects of a page selects. */
export interface PageOfPolicies extends KnownPolicies {
  readonly podsSelected: (namespace: string, selector: LabelSelector) => readonly JudgedPod[];
}

export type Authorizing =
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

/** Which pods it selects; undefined = it selects none itself. */
export const selectorOf = (object: Authorizing): LabelSelector | undefined => {
  switch (object.kind) {
    case 'NetworkAuthenticationPolicy':
      return isRejected(object.spec) ? object.spec.closes.selector : object.spec.target;
    case 'Server':
      return isRejected(object.spec) ? object.spec.closes.selector : object.spec.podSelector;
    case 'AuthorizationPolicy':
    case 'ServerAuthorization':
    case 'Namespace':
      return undefined;
  }
};

export const authorizingObject = (object: Authorizing, known: PageOfPolicies): AuthorizingObject => {
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

type Said = Pick<AuthorizingObject, 'state' | 'target'> & Partial<AuthorizingObject>;

const item = (object: Authorizing, said: Said): AuthorizingObject => ({
  object: objectName(refOf(object)),
  pods: null,
  ports: portsItem('of-target'),
  base: null,
  requests: null,
  sources: [],
  authentications: [],
  grants: [],
  notes: [],
  ...said,
});

const networkPolicy = (
  policy: KubeObject<'NetworkAuthenticationPolicy'>,
  known: PageOfPolicies,
): AuthorizingObject => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return rejected(policy, known);
  const sources = known.sourcesOf(policy);
  const enforces = spec.mode === 'Enforce';
  const selection = judgeSelection(known.podsSelected(meta.namespace, spec.target), spec.ports);
  return item(policy, {
    state: enforces ? selection.state : 'audited',
    ...selecting(spec.target, selection, spec.ports),
    base: enforces ? 'deny' : null,
    requests: spec.rules?.map(ruleItem) ?? null,
    sources: spec.sources.flatMap((source, at) => {
      const resolved = sources[at];
      return resolved === undefined ? [] : [sourceItem(source, resolved)];
    }),
    grants: grantsOf(sources).map(grantItem),
    notes: [...selectionNotes(selection), ...sources.flatMap(notesOf)],
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

const server = (object: KubeObject<'Server'>, known: PageOfPolicies): AuthorizingObject => {
  const { meta, spec } = object;
  if (isRejected(spec)) return rejected(object, known);
  const { podSelector, externalWorkloadSelector = everything, port, accessPolicy } = spec;
  const said = {
    base: accessPolicy,
    grants: authorizationsOf(accessPolicy, known.cluster).map(grantItem),
  };
  if (podSelector === undefined) {
    const labels = printSelector(externalWorkloadSelector);
    const target = {
      kind: 'external-workloads' as const,
      selector: selectorItem(externalWorkloadSelector),
      object: null,
      text: labels === '' ? 'every ExternalWorkload' : `ExternalWorkloads with ${labels}`,
    };
    const workloads = known.index.in('ExternalWorkload', meta.namespace).values();
    const isSelecting = workloads.some((each) => selects(externalWorkloadSelector, each.meta.labels));
    const state = isSelecting ? 'enforced' : 'matches-nothing';
    return item(object, { ...said, state, target, ports: portsItem([port]) });
  }
  const selection = judgeSelection(known.podsSelected(meta.namespace, podSelector), [port]);
  return item(object, {
    ...said,
    state: selection.state,
    ...selecting(podSelector, selection, [port]),
    notes: selectionNotes(selection),
  });
};

const authorizationPolicy = (
  policy: KubeObject<'AuthorizationPolicy'>,
  { index, cluster }: KnownPolicies,
): AuthorizingObject => {
  const { meta, spec } = policy;
  const authorized = authorizationFromIndex(index, policy, cluster);
  if (isRejected(spec) || authorized === undefined) return grantsNothing(policy);
  const { namespace } = meta;
  const said = {
    target: targetItem(spec.target, namespace),
    authentications: spec.authentications.map(objectOfAuthentication),
  };
  switch (authorized.kind) {
    case 'missing':
      return item(policy, {
        ...said,
        state: 'incomplete',
        notes: [`${authorized.reference} does not exist or could not be read.`],
      });
    case 'grants': {
      const grants = [grantItem(authorized.authorization)];
      const missing = whatIsMissing(spec.target, namespace, index);
      return missing === undefined
        ? item(policy, { ...said, state: 'enforced', grants })
        : item(policy, { ...said, state: 'matches-nothing', notes: [missing] });
    }
  }
};

const serverAuthorization = (
  policy: KubeObject<'ServerAuthorization'>,
  { index, cluster }: KnownPolicies,
): AuthorizingObject => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return grantsNothing(policy);
  const { namespace, name } = meta;
  const target = serversItem(spec.server, namespace);
  const authorization = authorizationOf({ name, spec }, cluster);
  if (authorization === undefined) return item(policy, { state: 'incomplete', target, notes: [noNetworks] });
  for (const server of index.in('Server', namespace).values())
    if (!isRejected(server.spec) && selectsServer(spec, server) === 'yes')
      return item(policy, { state: 'enforced', target, grants: [grantItem(authorization)] });
  return item(policy, {
    state: 'matches-nothing',
    target,
    notes: ['The namespace has no such Server that could be read.'],
  });
};

const serversItem = (meant: ServerAuthorizationSpec['server'], namespace: string): TargetItem => {
  switch (meant.kind) {
    case 'name': {
      const object = objectName({ kind: 'Server', namespace, name: meant.name });
      return { kind: 'object', selector: null, object, text: `Server ${meant.name}` };
    }
    case 'labels': {
      const labels = printSelector(meant.selector);
      const text = labels === '' ? 'every Server' : `Servers with ${labels}`;
      return { kind: 'servers', selector: selectorItem(meant.selector), object: null, text };
    }
  }
};

/** Of a rejected object that closes nothing. */
const grantsNothing = (
  policy: KubeObject<'AuthorizationPolicy'> | KubeObject<'ServerAuthorization'>,
): AuthorizingObject => {
  const notes = isRejected(policy.spec) ? policy.spec.rejected.map(printProblem) : [];
  const target = { kind: 'unknown' as const, selector: null, object: null, text: 'cannot be read' };
  return item(policy, { state: 'rejected', target, notes });
};

const objectOfAuthentication = ({
  kind,
  namespace,
  name,
}: AuthorizationPolicySpec['authentications'][number]) => objectName({ kind, namespace, name });

const targetItem = (target: AuthorizationPolicySpec['target'], namespace: string): TargetItem =>
  target.kind === 'Namespace'
    ? { kind: 'namespace', selector: null, object: null, text: 'every Server of the namespace' }
    : {
        kind: 'object',
        selector: null,
        object: objectName({ kind: target.kind, namespace, name: target.name }),
        text: `${objectName({ kind: target.kind, namespace, name: target.name }).kind} ${target.name}`,
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
  const text = `every port of the namespace that nothing above selects, by the ${from}'s default`;
  return item(object, {
    state: 'enforced',
    target: { kind: 'namespace', selector: null, object: null, text },
    ports: portsItem('all'),
    base: policy,
    grants: grants.map(grantItem),
    notes: [...unread, ...unreadable],
  });
};

const rejected = (
  object: KubeObject<'NetworkAuthenticationPolicy'> | KubeObject<'Server'>,
  known: PageOfPolicies,
): AuthorizingObject => {
  const { meta, spec } = object;
  const { closes, rejected: problems } = spec as Extract<typeof spec, { rejected: unknown }>;
  const selection = judgeSelection(known.podsSelected(meta.namespace, closes.selector), closes.ports);
  return item(object, {
    state: 'rejected',
    ...selecting(closes.selector, selection, closes.ports),
    base: 'deny',
    notes: [...problems.map(printProblem), ...selectionNotes(selection)],
  });
};

const selecting = (
  selector: LabelSelector,
  { count, names, notEnforced, notEnforcedCount }: JudgedSelection,
  ports: readonly PortSelector[] | 'all',
): Pick<AuthorizingObject, 'target' | 'pods'> & { readonly ports: PortsItem } => {
  const text = printSelector(selector);
  return {
    target: {
      kind: 'pods',
      selector: selectorItem(selector),
      object: null,
      text: text === '' ? 'every pod' : `pods with ${text}`,
    },
    pods: {
      count,
      names: [...names],
      notEnforcedCount,
      notEnforced: notEnforced.map(({ pod, reason, why }) => ({
        pod,
        reason,
        message: `Open, not enforced: ${why}.`,
      })),
    },
    ports: portsItem(ports),
  };
};

const selectionNotes = ({ state, notEnforced, notEnforcedCount }: JudgedSelection): string[] => {
  const more = notEnforcedCount - notEnforced.length;
  return [
    ...(state === 'matches-nothing' ? ['It selects no pod.'] : []),
    ...notEnforced.map(({ pod, why }) => `On pod ${pod} it is open, not enforced: ${why}.`),
    ...(more > 0 ? [`It is not enforced on ${more} more pods.`] : []),
  ];
};
