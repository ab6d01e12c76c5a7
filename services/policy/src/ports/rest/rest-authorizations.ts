import { everything, type LabelSelector } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { printProblem } from '@gatehouse/core/problem';
import { unreadableIn } from '@gatehouse/core/resources/changes';
import { isRejected, type KubeObject, type Rejected } from '@gatehouse/core/resources/kinds';
import type {
  AuthorizationPolicySpec,
  ServerAuthorizationSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { authorizationsOf } from '../../core/inbound/default-policy.ts';
import { type ClusterConfig, grantsOf, type ResolvedSource, refOf } from '../../core/inbound/model.ts';
import { authorizationFromIndex, defaultFromIndex } from '../../core/inbound/objects-from-index.ts';
import { authorizationOf } from '../../core/inbound/server-authorizations.ts';
import type { Judged, Judgement } from '../../core/judgement/judgement.ts';
import type { AuthorizingObject, PortsItem, TargetItem } from './rest-authorizing-object.ts';
import { portsItem, ruleItem } from './rest-authorizing-object.ts';
import { grantItem, printSelector, selectorItem, sourceItem } from './rest-grant.ts';
import { findingItem, podsItem } from './rest-judgement.ts';
import { objectName } from './rest-object.ts';

/** What there is to say of policies. */
export interface KnownPolicies {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  /** What the sources of a policy stand for now. */
  readonly sourcesOf: (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];
  readonly judge: (object: Judged) => Judgement | undefined;
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

export const authorizingObject = (object: Authorizing, known: KnownPolicies): AuthorizingObject => {
  if (object.kind === 'Namespace') return namespaceDefault(object, known);
  const judgement = known.judge(object);
  if (judgement === undefined) throw new Error(`${object.kind} is not judged`);
  const { state, findings, selection } = judgement;
  return item(object, {
    state,
    pods: selection === undefined ? null : podsItem(selection),
    findings: findings.map(findingItem),
    notes: findings.map(({ message }) => message),
    ...saidBy(object, known),
  });
};

type Said = Pick<AuthorizingObject, 'target'> & Partial<AuthorizingObject>;

const item = (object: Authorizing, said: Said & Pick<AuthorizingObject, 'state'>): AuthorizingObject => ({
  object: objectName(refOf(object)),
  pods: null,
  ports: portsItem('of-target'),
  base: null,
  requests: null,
  sources: [],
  authentications: [],
  grants: [],
  findings: [],
  notes: [],
  ...said,
});

/** What it applies to, and which clients it admits. */
const saidBy = (object: Exclude<Authorizing, KubeObject<'Namespace'>>, known: KnownPolicies): Said => {
  switch (object.kind) {
    case 'NetworkAuthenticationPolicy':
      return networkPolicy(object, known);
    case 'Server':
      return server(object, known);
    case 'AuthorizationPolicy':
      return authorizationPolicy(object, known);
    case 'ServerAuthorization':
      return serverAuthorization(object, known);
  }
};

const networkPolicy = (policy: KubeObject<'NetworkAuthenticationPolicy'>, known: KnownPolicies): Said => {
  const { spec } = policy;
  if (isRejected(spec)) return rejected(spec);
  const sources = known.sourcesOf(policy);
  return {
    ...selecting(spec.target, spec.ports),
    base: spec.mode === 'Enforce' ? 'deny' : null,
    requests: spec.rules?.map(ruleItem) ?? null,
    sources: spec.sources.flatMap((source, at) => {
      const resolved = sources[at];
      return resolved === undefined ? [] : [sourceItem(source, resolved)];
    }),
    grants: grantsOf(sources).map(grantItem),
  };
};

const server = ({ spec }: KubeObject<'Server'>, { cluster }: KnownPolicies): Said => {
  if (isRejected(spec)) return rejected(spec);
  const { podSelector, externalWorkloadSelector = everything, port, accessPolicy } = spec;
  const said = {
    base: accessPolicy,
    grants: authorizationsOf(accessPolicy, cluster).map(grantItem),
  };
  if (podSelector !== undefined) return { ...said, ...selecting(podSelector, [port]) };
  const labels = printSelector(externalWorkloadSelector);
  const target = {
    kind: 'external-workloads' as const,
    selector: selectorItem(externalWorkloadSelector),
    object: null,
    text: labels === '' ? 'every ExternalWorkload' : `ExternalWorkloads with ${labels}`,
  };
  return { ...said, target, ports: portsItem([port]) };
};

const authorizationPolicy = (
  policy: KubeObject<'AuthorizationPolicy'>,
  { index, cluster, judge }: KnownPolicies,
): Said => {
  const { meta, spec } = policy;
  const authorized = authorizationFromIndex(index, policy, cluster);
  if (isRejected(spec) || authorized === undefined) return unknownTarget;
  const isIdle = judge(policy)?.state === 'MatchesNothing';
  return {
    target: targetItem(spec.target, meta.namespace),
    authentications: spec.authentications.map(objectOfAuthentication),
    grants: authorized.kind === 'missing' || isIdle ? [] : [grantItem(authorized.authorization)],
  };
};

const serverAuthorization = (
  policy: KubeObject<'ServerAuthorization'>,
  { cluster, judge }: KnownPolicies,
): Said => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return unknownTarget;
  const authorization = authorizationOf({ name: meta.name, spec }, cluster);
  const isIdle = judge(policy)?.state === 'MatchesNothing';
  return {
    target: serversItem(spec.server, meta.namespace),
    grants: authorization === undefined || isIdle ? [] : [grantItem(authorization)],
  };
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
const unknownTarget: Said = {
  target: { kind: 'unknown', selector: null, object: null, text: 'cannot be read' },
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
    state: 'Enforced',
    target: { kind: 'namespace', selector: null, object: null, text },
    ports: portsItem('all'),
    base: policy,
    grants: grants.map(grantItem),
    notes: [...unread, ...unreadable],
  });
};

const rejected = ({ closes }: Rejected): Said => ({
  ...selecting(closes.selector, closes.ports),
  base: 'deny',
});

const selecting = (
  selector: LabelSelector,
  ports: readonly PortSelector[] | 'all',
): Pick<AuthorizingObject, 'target'> & { readonly ports: PortsItem } => {
  const text = printSelector(selector);
  return {
    target: {
      kind: 'pods',
      selector: selectorItem(selector),
      object: null,
      text: text === '' ? 'every pod' : `pods with ${text}`,
    },
    ports: portsItem(ports),
  };
};
