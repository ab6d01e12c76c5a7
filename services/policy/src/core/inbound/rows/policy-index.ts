import { SelectorIndex } from '@gatehouse/core/dependency/selector-index';
import { SetMap } from '@gatehouse/core/dependency/set-map';
import type { LabelSelector, Labels } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { RouteObject } from '../attached-routes.ts';
import type { NamespacePolicies } from '../model.ts';

export type AuthorizationPolicy = KubeObject<'AuthorizationPolicy'>;
export type ServerAuthorization = KubeObject<'ServerAuthorization'>;
export type RateLimit = KubeObject<'HTTPLocalRateLimitPolicy'>;

/** Objects that choose pods by labels and ports. */
export type SelectingObject = KubeObject<'Server'> | KubeObject<'NetworkAuthenticationPolicy'>;

/** The policy objects that concern some port of the workloads of a class; sources are resolved by the source index. */
export interface ConcerningPolicies extends Omit<NamespacePolicies, 'networkAuthenticationPolicies'> {
  readonly networkPolicies: readonly KubeObject<'NetworkAuthenticationPolicy'>[];
}

export interface NamespaceIndex {
  readonly selecting: SelectorIndex<SelectingObject>;
  /** By what they target: a `targetKey`. */
  readonly authorizations: SetMap<string, AuthorizationPolicy>;
  readonly serverAuthorizations: {
    /** By the Server that they name: a `targetKey`. */
    readonly naming: SetMap<string, ServerAuthorization>;
    /** By the labels of Servers. */
    readonly selecting: SelectorIndex<ServerAuthorization>;
  };
  /** By the names of the Servers that they are attached to. */
  readonly routes: SetMap<string, RouteObject>;
  /** By the names of the Servers that they limit. */
  readonly rateLimits: SetMap<string, RateLimit>;
}

/** The policy objects of every namespace, ordered by whom they concern. */
export class PolicyIndex {
  readonly #namespaces = new Map<string, NamespaceIndex>();

  /** Everything that may matter to a port of workloads with those labels. */
  concerning(namespace: string, labels: Labels): ConcerningPolicies {
    const index = this.#namespaces.get(namespace);
    if (index === undefined) return noPolicies;
    const servers: KubeObject<'Server'>[] = [];
    const networkPolicies: KubeObject<'NetworkAuthenticationPolicy'>[] = [];
    for (const object of index.selecting.selecting(labels)) {
      if (object.kind === 'Server') servers.push(object);
      else networkPolicies.push(object);
    }
    const routes = new Set<RouteObject>();
    const rateLimits = new Set<RateLimit>();
    for (const server of [everyServer, ...servers.map(({ meta }) => meta.name)]) {
      for (const route of index.routes.get(server)) routes.add(route);
      for (const limit of index.rateLimits.get(server)) rateLimits.add(limit);
    }
    // Authorizations count only where a Server governs (design §6.2).
    const targets = servers.length === 0 ? [] : [namespaceTarget, ...[...servers, ...routes].map(asTarget)];
    const authorizationPolicies = targets.flatMap((target) => [...index.authorizations.get(target)]);
    const serverAuthorizations = new Set(servers.flatMap((server) => [...authorizing(index, server)]));
    return {
      servers,
      networkPolicies,
      authorizationPolicies,
      serverAuthorizations: [...serverAuthorizations],
      routes: [...routes],
      rateLimits: [...rateLimits],
    };
  }

  /** The label names by which pods of the namespace are chosen. */
  labelKeys(namespace: string): ReadonlySet<string> {
    return new Set(this.#namespaces.get(namespace)?.selecting.keys);
  }

  /** Where the policies of a namespace are entered (inbound-kinds.ts). Namespaces are few, and small once empty. */
  of(namespace: string): NamespaceIndex {
    let index = this.#namespaces.get(namespace);
    if (index === undefined) {
      index = {
        selecting: new SelectorIndex(),
        authorizations: new SetMap(),
        serverAuthorizations: { naming: new SetMap(), selecting: new SelectorIndex() },
        routes: new SetMap(),
        rateLimits: new SetMap(),
      };
      this.#namespaces.set(namespace, index);
    }
    return index;
  }
}

const noPolicies: ConcerningPolicies = {
  servers: [],
  networkPolicies: [],
  authorizationPolicies: [],
  serverAuthorizations: [],
  routes: [],
  rateLimits: [],
};

/** The ServerAuthorizations that may be for a Server. */
function* authorizing(
  { serverAuthorizations: { naming, selecting } }: NamespaceIndex,
  server: KubeObject<'Server'>,
): Generator<ServerAuthorization> {
  yield* naming.get(asTarget(server));
  // Where nobody can say what its labels are, the authors of all of them hear of it.
  yield* server.meta.unreadTexts?.includes('labels')
    ? selecting.items()
    : selecting.selecting(server.meta.labels);
}

/** Which pods an object chooses; a rejected one those that it closes. Undefined = none (a Server of ExternalWorkloads). */
export const selectorOf = (object: SelectingObject): LabelSelector | undefined => {
  if (isRejected(object.spec)) return object.spec.closes.selector;
  return 'target' in object.spec ? object.spec.target : object.spec.podSelector;
};

/** Which ports of them. */
export const portsOf = ({ spec }: SelectingObject): readonly PortSelector[] | 'all' => {
  if (isRejected(spec)) return spec.closes.ports;
  return 'target' in spec ? spec.ports : [spec.port];
};

export const namespaceTarget = 'Namespace';

/** How an AuthorizationPolicy's target is written here; undefined for a rejected one, which grants nothing anywhere. */
export const targetOf = ({ spec }: AuthorizationPolicy): string | undefined => {
  if (isRejected(spec)) return undefined;
  return spec.target.kind === 'Namespace' ? namespaceTarget : `${spec.target.kind}/${spec.target.name}`;
};

export const serverTarget = (name: string): string => `Server/${name}`;

export const asTarget = ({ kind, meta }: KubeObject): string => `${kind}/${meta.name}`;

/** Stands for all Servers of the namespace; no object has this name. */
export const everyServer = '';

/** The Servers that a route is attached to; a rejected one stays attached (design §6.2). */
export const serversOf = ({ spec }: RouteObject): readonly string[] => {
  if (!isRejected(spec)) return spec.servers;
  return spec.attachedTo === 'all' ? [everyServer] : spec.attachedTo;
};

/** The Servers that a policy limits; a rejected one goes on (decision 17). */
export const serversLimitedBy = ({ spec }: RateLimit): readonly string[] => {
  if (!isRejected(spec)) return [spec.server];
  return spec.limits.servers === 'all' ? [everyServer] : spec.limits.servers;
};
