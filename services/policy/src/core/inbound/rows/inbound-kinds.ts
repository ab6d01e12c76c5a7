import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import type { RouteObject } from '../attached-routes.ts';
import type { CallerChange, CallerIndex, NamespaceChange } from './caller-index.ts';
import type { ConcernedRows } from './concerned-rows.ts';
import {
  type PolicyIndex,
  type SelectingObject,
  selectorOf,
  selectorsOf,
  serversLimitedBy,
  serversOf,
  serverTarget,
  targetOf,
} from './policy-index.ts';
import type { SourceIndex } from './source-index.ts';

/** What is kept in step with the index of objects, so that a row is compiled without a look at everything. */
export interface Kept {
  readonly callers: CallerIndex;
  readonly sources: SourceIndex;
  readonly policies: PolicyIndex;
  readonly authentications: {
    readonly meshTls: Map<string, KubeObject<'MeshTLSAuthentication'>>;
    readonly network: Map<string, KubeObject<'NetworkAuthentication'>>;
  };
}

/** What a batch does to rows: the rows that it names, and the callers for whom sources may stand. */
export interface Noted {
  readonly rows: ConcernedRows;
  readonly callers: CallerChange[];
  readonly namespaces: NamespaceChange[];
}

/** Brings what is kept up to date with the changed objects of one kind, and notes what rows that may change. */
export type TakeKind<K extends Kind> = (kept: Kept, touched: readonly Touched<K>[], noted: Noted) => void;

export type InboundKind =
  | 'Namespace'
  | 'Pod'
  | 'ExternalWorkload'
  | 'NetworkAuthenticationPolicy'
  | 'Server'
  | 'AuthorizationPolicy'
  | 'ServerAuthorization'
  | 'MeshTLSAuthentication'
  | 'NetworkAuthentication'
  | 'HTTPLocalRateLimitPolicy'
  | 'HTTPRoute'
  | 'GatewayHTTPRoute'
  | 'GRPCRoute';

export type InboundKinds = { readonly [K in InboundKind]: TakeKind<K> };

/** An object as it was, and as it is: most kinds leave and enter what is kept, and concern the same rows either way. */
const eachState =
  <K extends Kind>(
    state: (kept: Kept, object: KubeObject<K>, how: 'add' | 'remove', rows: ConcernedRows) => void,
  ): TakeKind<K> =>
  (kept, touched, { rows }) => {
    for (const { before, after } of touched) {
      if (before !== undefined) state(kept, before, 'remove', rows);
      if (after !== undefined) state(kept, after, 'add', rows);
    }
  };

const takeSelecting = (
  { policies }: Kept,
  object: SelectingObject,
  how: 'add' | 'remove',
  rows: ConcernedRows,
) => {
  for (const kind of [undefined, 'external-workload'] as const) {
    const selector = selectorOf(object, kind);
    if (selector === undefined) continue;
    policies.of(object.meta.namespace)[selectorsOf(kind)][how](object, selector);
    rows.noteSelecting(object, selector, kind);
  }
};

const takeRoute = ({ policies }: Kept, route: RouteObject, how: 'add' | 'remove', rows: ConcernedRows) => {
  for (const server of serversOf(route)) {
    policies.of(route.meta.namespace).routes[how](server, route);
    rows.noteRouted(route.meta.namespace, server);
  }
};

/**
 * Everything that a row for inbound traffic can depend on, one row a kind, and the only kinds that are watched for it. A
 * kind is added here or not at all; inbound-rows.property.test.ts strikes out each in turn and sees rows go stale.
 */
export const inboundKinds: InboundKinds = {
  Namespace: ({ callers }, touched, { rows, namespaces }) => {
    // Its labels bear on sources, its annotations on the rows of its own pods.
    namespaces.push(...callers.applyNamespaces(touched));
    for (const { before, after } of touched) {
      const meta = (after ?? before)?.meta;
      if (meta !== undefined && !hasSameAnnotations(before, after)) rows.noteNamespace(meta.name);
    }
  },
  Pod: ({ callers }, touched, noted) => {
    noted.callers.push(...callers.applyPods(touched));
    noted.rows.noteWorkloads(touched);
  },
  ExternalWorkload: (_, touched, { rows }) => rows.noteWorkloads(touched),
  NetworkAuthenticationPolicy: eachState((kept, policy, how, rows) => {
    if (how === 'remove') kept.sources.forget(policy);
    takeSelecting(kept, policy, how, rows);
  }),
  Server: eachState((kept, server, how, rows) => takeSelecting(kept, server, how, rows)),
  AuthorizationPolicy: eachState(({ policies }, policy, how, rows) => {
    const target = targetOf(policy);
    if (target === undefined) return;
    policies.of(policy.meta.namespace).authorizations[how](target, policy);
    rows.noteTarget(policy.meta.namespace, target);
  }),
  ServerAuthorization: eachState(({ policies }, policy, how, rows) => {
    if (isRejected(policy.spec)) return;
    const { namespace } = policy.meta;
    const { naming, selecting } = policies.of(namespace).serverAuthorizations;
    const { server } = policy.spec;
    switch (server.kind) {
      case 'name': {
        const target = serverTarget(server.name);
        naming[how](target, policy);
        rows.noteTarget(namespace, target);
        break;
      }
      case 'labels':
        selecting[how](policy, server.selector);
        rows.noteServersWith(namespace, server.selector);
        break;
    }
  }),
  MeshTLSAuthentication: eachState(({ authentications }, object, how, rows) => {
    keep(authentications.meshTls, object, how);
    rows.noteAuthentication(object);
  }),
  NetworkAuthentication: eachState(({ authentications }, object, how, rows) => {
    keep(authentications.network, object, how);
    rows.noteAuthentication(object);
  }),
  HTTPLocalRateLimitPolicy: eachState(({ policies }, limit, how, rows) => {
    const { namespace } = limit.meta;
    for (const server of serversLimitedBy(limit)) {
      policies.of(namespace).rateLimits[how](server, limit);
      rows.noteRouted(namespace, server);
    }
  }),
  HTTPRoute: eachState((kept, route, how, rows) => takeRoute(kept, route, how, rows)),
  GatewayHTTPRoute: eachState((kept, route, how, rows) => takeRoute(kept, route, how, rows)),
  GRPCRoute: eachState((kept, route, how, rows) => takeRoute(kept, route, how, rows)),
};

export const watchedForInbound = Object.keys(inboundKinds) as readonly InboundKind[];

const keep = <K extends Kind>(
  objects: Map<string, KubeObject<K>>,
  object: KubeObject<K>,
  how: 'add' | 'remove',
): void => {
  const key = `${object.meta.namespace}/${object.meta.name}`;
  if (how === 'add') objects.set(key, object);
  else objects.delete(key);
};

const hasSameAnnotations = (
  before: KubeObject<'Namespace'> | undefined,
  after: KubeObject<'Namespace'> | undefined,
): boolean =>
  before !== undefined &&
  after !== undefined &&
  JSON.stringify(before.meta.annotations) === JSON.stringify(after.meta.annotations);
