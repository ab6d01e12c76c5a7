import { SelectorBook } from '@gatehouse/core/dependency/selector-index';
import { SetMap } from '@gatehouse/core/dependency/set-map';
import type { LabelSelector, Labels } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import type { NamespacePolicies } from '../model.ts';

/** So that `kind` tells what the spec is. */
export type AnyObject = { [K in Kind]: KubeObject<K> }[Kind];
export type AuthorizationPolicy = KubeObject<'AuthorizationPolicy'>;
export type Route = KubeObject<'HTTPRoute'> | KubeObject<'GatewayHTTPRoute'>;

/** Objects that choose pods by labels and ports. */
export type SelectingObject = KubeObject<'Server'> | KubeObject<'NetworkAuthenticationPolicy'>;

/** The policy objects that concern some port of the workloads of a class; sources are resolved by the source book. */
export interface ConcerningPolicies extends Omit<NamespacePolicies, 'networkAuthenticationPolicies'> {
  readonly networkPolicies: readonly KubeObject<'NetworkAuthenticationPolicy'>[];
}

interface NamespaceBook {
  readonly selecting: SelectorBook<SelectingObject>;
  /** By what they target: a `targetKey`. */
  readonly authorizations: SetMap<string, AuthorizationPolicy>;
  /** By the names of the Servers that they are attached to. */
  readonly routes: SetMap<string, Route>;
}

/** The policy objects of every namespace, ordered by whom they concern. */
export class PolicyBook {
  readonly #books = new Map<string, NamespaceBook>();

  apply(touched: readonly Touched[]): void {
    for (const { before, after } of touched) {
      if (before !== undefined) this.#enter(before as AnyObject, 'remove');
      if (after !== undefined) this.#enter(after as AnyObject, 'add');
    }
  }

  /** Everything that may matter to a port of workloads with those labels. */
  concerning(namespace: string, labels: Labels): ConcerningPolicies {
    const book = this.#books.get(namespace);
    if (book === undefined) return noPolicies;
    const servers: KubeObject<'Server'>[] = [];
    const networkPolicies: KubeObject<'NetworkAuthenticationPolicy'>[] = [];
    for (const object of book.selecting.selecting(labels)) {
      if (object.kind === 'Server') servers.push(object);
      else networkPolicies.push(object);
    }
    const routes = new Set<Route>();
    for (const server of [everyServer, ...servers.map(({ meta }) => meta.name)]) {
      for (const route of book.routes.get(server)) routes.add(route);
    }
    // Authorizations count only where a Server governs (design §6.2).
    const targets = servers.length === 0 ? [] : [namespaceTarget, ...[...servers, ...routes].map(asTarget)];
    const authorizationPolicies = targets.flatMap((target) => [...book.authorizations.get(target)]);
    return { servers, networkPolicies, authorizationPolicies, routes: [...routes] };
  }

  /** The label names by which pods of the namespace are chosen. */
  labelKeys(namespace: string): ReadonlySet<string> {
    return new Set(this.#books.get(namespace)?.selecting.keys);
  }

  #enter(object: AnyObject, how: 'add' | 'remove'): void {
    switch (object.kind) {
      case 'Server':
      case 'NetworkAuthenticationPolicy': {
        const selector = selectorOf(object);
        if (selector !== undefined) this.#bookOf(object).selecting[how](object, selector);
        break;
      }
      case 'AuthorizationPolicy': {
        const target = targetOf(object);
        if (target !== undefined) this.#bookOf(object).authorizations[how](target, object);
        break;
      }
      case 'HTTPRoute':
      case 'GatewayHTTPRoute':
        for (const server of serversOf(object)) this.#bookOf(object).routes[how](server, object);
        break;
      default:
        break;
    }
  }

  /** Namespaces are few, and their books small once empty. */
  #bookOf({ meta: { namespace } }: AnyObject): NamespaceBook {
    let book = this.#books.get(namespace);
    if (book === undefined) {
      book = { selecting: new SelectorBook(), authorizations: new SetMap(), routes: new SetMap() };
      this.#books.set(namespace, book);
    }
    return book;
  }
}

const noPolicies: ConcerningPolicies = {
  servers: [],
  networkPolicies: [],
  authorizationPolicies: [],
  routes: [],
};

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

export const asTarget = ({ kind, meta }: KubeObject): string => `${kind}/${meta.name}`;

/** Stands for all Servers of the namespace; no object has this name. */
export const everyServer = '';

/** The Servers that a route is attached to; a rejected one stays attached (design §6.2). */
export const serversOf = ({ spec }: Route): readonly string[] => {
  if (!isRejected(spec)) return spec.servers;
  return spec.attachedTo === 'all' ? [everyServer] : (spec.attachedTo ?? []);
};
