import { SelectorBook } from '@gatehouse/core/dependency/selector-index';
import { SetMap } from '@gatehouse/core/dependency/set-map';
import { namesPort } from '@gatehouse/core/mesh/named-ports';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import { isProxyPort } from '../proxy-ports.ts';
import {
  type AnyObject,
  asTarget,
  everyServer,
  namespaceTarget,
  portsOf,
  type SelectingObject,
  selectorOf,
  serversOf,
  targetOf,
} from './policy-index.ts';
import type { InboundRow, WorkloadClass } from './workload-class.ts';

export interface Changes {
  readonly touched: readonly Touched[];
  /** The policies whose sources may stand for other callers than before. */
  readonly sources: ReadonlySet<KubeObject<'NetworkAuthenticationPolicy'>>;
  /** `everything`: something changed on which every row depends. */
  readonly scope: 'touched' | 'everything';
}

/** What a batch does to one class. */
export interface Concern<R> {
  /** Whether the class is concerned by other policies than before. */
  readonly policies: 'same' | 'changed';
  readonly rows: readonly InboundRow<R>[];
}

/**
 * Which rows a batch of policy changes may change. Collected first, then asked once per class: a relist of a thousand
 * objects looks at every class once, and one changed policy compiles the rows that it names or named, and no others.
 */
export class ConcernedRows {
  readonly #scope: Changes['scope'];
  /** Servers and NetworkAuthenticationPolicies, as they were and as they are, by namespace. */
  readonly #selecting = new Map<string, SelectorBook<SelectingObject>>();
  /** What the changed AuthorizationPolicies target, by namespace. */
  readonly #targets = new SetMap<string, string>();
  /** The Servers that the changed routes are attached to, by namespace. */
  readonly #routed = new SetMap<string, string>();
  readonly #authentications = new Set<string>();
  /** Namespaces whose annotations changed. */
  readonly #namespaces = new Set<string>();
  readonly #sources: ReadonlySet<KubeObject<'NetworkAuthenticationPolicy'>>;
  /** The namespaces of those. */
  readonly #followers: ReadonlySet<string>;

  constructor({ touched, sources, scope }: Changes) {
    this.#scope = scope;
    this.#sources = sources;
    this.#followers = new Set(Array.from(sources, ({ meta }) => meta.namespace));
    for (const { before, after } of touched) {
      if (before !== undefined && after !== undefined && isSameNamespace(before, after)) continue;
      for (const state of [before, after]) if (state !== undefined) this.#note(state as AnyObject);
    }
  }

  /** Whether any class of the namespace may be concerned; most batches reach none. */
  reaches(namespace: string): boolean {
    return (
      this.#scope === 'everything' ||
      // Authentications are referred to from anywhere.
      this.#authentications.size > 0 ||
      this.#selecting.has(namespace) ||
      this.#targets.has(namespace) ||
      this.#routed.has(namespace) ||
      this.#namespaces.has(namespace) ||
      this.#followers.has(namespace)
    );
  }

  /** `workloads.policies` must still be what its rows were compiled from. */
  of<R>(workloads: WorkloadClass<R>): Concern<R> {
    const { workload, rows, policies } = workloads;
    const everyRow = this.#scope === 'everything' || this.#namespaces.has(workload.namespace);
    const selecting = [...(this.#selecting.get(workload.namespace)?.selecting(workload.labels) ?? [])];
    const following = policies.networkPolicies.filter((policy) => this.#sources.has(policy));
    const atServers = this.#reachesServersOf(workloads);
    const byServer = atServers || this.#authenticates(workloads);
    // Most classes of a namespace are not concerned by most batches that reach it.
    if (!everyRow && !byServer && selecting.length + following.length === 0) return unconcerned;
    const naming = [...selecting, ...following];
    return {
      policies: selecting.length > 0 || atServers ? 'changed' : 'same',
      rows: [...rows.values()].filter(
        (row) =>
          everyRow ||
          (byServer && row.compiled.governedBy.kind === 'server') ||
          naming.some((object) => mayName(object, row)),
      ),
    };
  }

  #note(object: AnyObject): void {
    const { namespace, name } = object.meta;
    switch (object.kind) {
      case 'Server':
      case 'NetworkAuthenticationPolicy': {
        const selector = selectorOf(object);
        if (selector === undefined) break;
        const book = this.#selecting.get(namespace) ?? new SelectorBook<SelectingObject>();
        book.add(object, selector);
        this.#selecting.set(namespace, book);
        break;
      }
      case 'AuthorizationPolicy': {
        const target = targetOf(object);
        if (target !== undefined) this.#targets.add(namespace, target);
        break;
      }
      case 'HTTPRoute':
      case 'GatewayHTTPRoute':
        for (const server of serversOf(object)) this.#routed.add(namespace, server);
        break;
      case 'MeshTLSAuthentication':
      case 'NetworkAuthentication':
        this.#authentications.add(`${object.kind}/${namespace}/${name}`);
        break;
      case 'Namespace':
        this.#namespaces.add(name);
        break;
      default:
        break;
    }
  }

  /** Whether an AuthorizationPolicy or a route came to, changed at or left one of the class's Servers. */
  #reachesServersOf<R>({ workload: { namespace }, policies }: WorkloadClass<R>): boolean {
    if (policies.servers.length === 0) return false;
    const targets = this.#targets.get(namespace);
    const routed = this.#routed.get(namespace);
    return (
      targets.has(namespaceTarget) ||
      routed.has(everyServer) ||
      [...policies.servers, ...policies.routes].some((object) => targets.has(asTarget(object))) ||
      policies.servers.some(({ meta }) => routed.has(meta.name))
    );
  }

  #authenticates<R>({ policies }: WorkloadClass<R>): boolean {
    if (this.#authentications.size === 0) return false;
    return policies.authorizationPolicies.some(
      ({ spec }) =>
        !isRejected(spec) &&
        spec.authentications.some(({ kind, namespace, name }) =>
          this.#authentications.has(`${kind}/${namespace}/${name}`),
        ),
    );
  }
}

const unconcerned: Concern<never> = { policies: 'same', rows: [] };

const mayName = <R>(object: SelectingObject, { port, class: { workload } }: InboundRow<R>): boolean => {
  const ports = portsOf(object);
  // Every port does not mean the proxy's own, unless nobody could read what was meant.
  if (ports === 'all') return isRejected(object.spec) || !isProxyPort(port);
  return namesPort(ports, port, workload);
};

/** Of a Namespace only its annotations bear on rows; its labels bear on sources. */
const isSameNamespace = (before: KubeObject, after: KubeObject): boolean =>
  before.kind === 'Namespace' &&
  JSON.stringify(before.meta.annotations) === JSON.stringify(after.meta.annotations);
