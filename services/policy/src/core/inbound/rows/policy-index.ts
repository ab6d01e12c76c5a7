import { SelectorIndex } from '@gatehouse/core/dependency/selector-index';
import { SetMap } from '@gatehouse/core/dependency/set-map';
import type { LabelSelector } from '@gatehouse/core/label-selector';
import { namesPort, type PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isProxyPort } from '@gatehouse/core/mesh/proxy-ports';
import { selectedBy } from '@gatehouse/core/mesh/select-server';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { RouteObject } from '../attached-routes.ts';
import type { NamespacePolicies, Workload } from '../model.ts';

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
  /** By the labels of pods. */
  readonly selecting: SelectorIndex<SelectingObject>;
  /** By the labels of ExternalWorkloads. */
  readonly selectingExternal: SelectorIndex<SelectingObject>;
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

type Selecting = Pick<Workload, 'kind' | 'namespace' | 'labels'>;

/** Where the selectors of pods, and of ExternalWorkloads, are. */
export const selectorsOf = (kind: Workload['kind']): 'selecting' | 'selectingExternal' =>
  kind === undefined ? 'selecting' : 'selectingExternal';

/** The policy objects of every namespace, ordered by whom they concern. */
export class PolicyIndex {
  readonly #namespaces = new Map<string, NamespaceIndex>();

  /** Everything that may matter to a port of workloads with those labels. */
  concerning({ kind, namespace, labels }: Selecting): ConcerningPolicies {
    const index = this.#namespaces.get(namespace);
    if (index === undefined) return noPolicies;
    const servers: KubeObject<'Server'>[] = [];
    const networkPolicies: KubeObject<'NetworkAuthenticationPolicy'>[] = [];
    for (const object of index[selectorsOf(kind)].selecting(labels)) {
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
    const index = this.#namespaces.get(namespace);
    return new Set([...(index?.selecting.keys ?? []), ...(index?.selectingExternal.keys ?? [])]);
  }

  /** Where the policies of a namespace are entered (inbound-kinds.ts). Namespaces are few, and small once empty. */
  of(namespace: string): NamespaceIndex {
    let index = this.#namespaces.get(namespace);
    if (index === undefined) {
      index = {
        selecting: new SelectorIndex(),
        selectingExternal: new SelectorIndex(),
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

/** Which pods or ExternalWorkloads an object chooses; a rejected one those that it closes. Undefined = none. */
export const selectorOf = (object: SelectingObject, kind: Workload['kind']): LabelSelector | undefined => {
  if (object.kind === 'Server') return selectedBy(object, kind)?.selector;
  if (kind !== undefined) return undefined;
  return isRejected(object.spec) ? object.spec.closes.selector : object.spec.target;
};

/** Which ports of them. */
export const portsOf = (object: SelectingObject, kind: Workload['kind']): readonly PortSelector[] | 'all' => {
  if (object.kind === 'Server') return selectedBy(object, kind)?.ports ?? [];
  return isRejected(object.spec) ? object.spec.closes.ports : object.spec.ports;
};

/** Whether it is for this port of a workload that it selects. */
export const mayNamePort = (object: SelectingObject, workload: Workload, port: number): boolean => {
  const ports = portsOf(object, workload.kind);
  // Every port does not mean the proxy's own, unless nobody could read what was meant.
  if (ports === 'all') return isRejected(object.spec) || !isProxyPort(workload.proxyPorts, port);
  return namesPort(ports, port, workload);
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
