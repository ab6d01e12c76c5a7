import { SelectorIndex } from '@gatehouse/core/dependency/selector-index';
import { SetMap } from '@gatehouse/core/dependency/set-map';
import { type LabelSelector, selects } from '@gatehouse/core/label-selector';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import type { Workload } from '../model.ts';
import type { Target } from '../workload-of.ts';
import { classFacts, selectingFact } from './class-facts.ts';
import {
  asTarget,
  everyServer,
  mayNamePort,
  namespaceTarget,
  type SelectingObject,
  selectorsOf,
} from './policy-index.ts';
import type { InboundRow, WorkloadClass } from './workload-class.ts';

type TargetKind = Target['kind'];

/** What a batch does to one class. */
export interface Concern<R> {
  /** Whether the class is concerned by other policies than before. */
  readonly policies: 'same' | 'changed';
  readonly rows: readonly InboundRow<R>[];
}

/**
 * Which rows a batch of policy changes may change. Collected first, then asked once for each class that was made of
 * a fact it touched: a relist of a thousand objects looks at every class once, and one changed policy compiles the rows that it
 * names or named, and no others.
 */
export class ConcernedRows {
  /** Servers and NetworkAuthenticationPolicies, as they were and as they are, by namespace. */
  readonly #selecting = new Map<string, Selecting>();
  /** What the changed AuthorizationPolicies target and ServerAuthorizations name, by namespace. */
  readonly #targets = new SetMap<string, string>();
  /** By which labels the changed ServerAuthorizations select Servers, by namespace. */
  readonly #serverSelectors = new Map<string, Set<LabelSelector>>();
  /** The Servers that the changed routes and limits are for, by namespace. */
  readonly #routed = new SetMap<string, string>();
  readonly #authentications = new Set<string>();
  /** Namespaces whose annotations changed. */
  readonly #namespaces = new Set<string>();
  /** The policies whose sources may stand for other callers than before. */
  readonly #sources = new Set<KubeObject<'NetworkAuthenticationPolicy'>>();
  readonly #workloads: Touched<TargetKind>[] = [];
  readonly #facts = new Set<string>();
  #scope: 'noted' | 'everything' = 'noted';

  /** Something changed on which every row depends. */
  noteEverything(): void {
    this.#scope = 'everything';
  }

  noteSelecting(object: SelectingObject, selector: LabelSelector, kind: Workload['kind']): void {
    const { namespace } = object.meta;
    const indexes = this.#selecting.get(namespace) ?? {
      selecting: new SelectorIndex<SelectingObject>(),
      selectingExternal: new SelectorIndex<SelectingObject>(),
    };
    indexes[selectorsOf(kind)].add(object, selector);
    this.#selecting.set(namespace, indexes);
    this.#facts.add(selectingFact(namespace, selector, kind));
  }

  noteTarget(namespace: string, target: string): void {
    this.#targets.add(namespace, target);
    this.#facts.add(classFacts.target(namespace, target));
  }

  /** Something changed that is for all Servers that the selector selects. */
  noteServersWith(namespace: string, selector: LabelSelector): void {
    const selectors = this.#serverSelectors.get(namespace) ?? new Set();
    this.#serverSelectors.set(namespace, selectors.add(selector));
    this.#facts.add(classFacts.serversByLabels(namespace));
  }

  noteRouted(namespace: string, server: string): void {
    this.#routed.add(namespace, server);
    this.#facts.add(classFacts.routed(namespace, server));
  }

  noteAuthentication({ kind, meta }: KubeObject): void {
    this.#authentications.add(`${kind}/${meta.namespace}/${meta.name}`);
    this.#facts.add(classFacts.authentication(kind, meta.namespace, meta.name));
  }

  /** Its annotations changed. */
  noteNamespace(name: string): void {
    this.#namespaces.add(name);
    this.#facts.add(classFacts.annotations(name));
  }

  noteSources(policies: Iterable<KubeObject<'NetworkAuthenticationPolicy'>>): void {
    for (const policy of policies) {
      this.#sources.add(policy);
      this.#facts.add(classFacts.sources(policy.meta.namespace, policy.meta.name));
    }
  }

  /** Pods or ExternalWorkloads whose class, and so whose rows, may be others now. */
  noteWorkloads(touched: readonly Touched<TargetKind>[]): void {
    this.#workloads.push(...touched);
  }

  /** The facts that the batch touched: classes that were made of none of them are not looked at. */
  get facts(): ReadonlySet<string> {
    return this.#facts;
  }

  /** The namespaces in which something selects pods by labels, or did, that changed. */
  get selected(): Iterable<string> {
    return this.#selecting.keys();
  }

  get scope(): 'noted' | 'everything' {
    return this.#scope;
  }

  get workloads(): readonly Touched<TargetKind>[] {
    return this.#workloads;
  }

  /** `workloads.policies` must be what its rows were compiled from, or will be. */
  of<R>(workloads: WorkloadClass<R>): Concern<R> {
    const { workload, rows, policies } = workloads;
    const everyRow = this.#scope === 'everything' || this.#namespaces.has(workload.namespace);
    const indexes = this.#selecting.get(workload.namespace);
    const selecting = [...(indexes?.[selectorsOf(workload.kind)].selecting(workload.labels) ?? [])];
    const following = policies.networkPolicies.filter((policy) => this.#sources.has(policy));
    const atServers = this.#reachesServersOf(workloads);
    const byServer = atServers || this.#authenticates(workloads);
    if (!everyRow && !byServer && selecting.length + following.length === 0) return unconcerned;
    const naming = [...selecting, ...following];
    return {
      policies: selecting.length > 0 || atServers ? 'changed' : 'same',
      rows: [...rows.values()].filter(
        (row) =>
          everyRow ||
          (byServer && row.answer?.compiled.governedBy.kind === 'server') ||
          naming.some((object) => mayNamePort(object, workload, row.port)),
      ),
    };
  }

  /** Whether an authorization or a route came to, changed at or left one of the class's Servers. */
  #reachesServersOf<R>({ workload: { namespace }, policies }: WorkloadClass<R>): boolean {
    if (policies.servers.length === 0) return false;
    const targets = this.#targets.get(namespace);
    const routed = this.#routed.get(namespace);
    return (
      targets.has(namespaceTarget) ||
      routed.has(everyServer) ||
      [...policies.servers, ...policies.routes].some((object) => targets.has(asTarget(object))) ||
      policies.servers.some(({ meta }) => routed.has(meta.name)) ||
      policies.servers.some((server) => this.#selectsServer(server))
    );
  }

  #selectsServer({ meta: { namespace, labels, unreadTexts } }: KubeObject<'Server'>): boolean {
    const selectors = this.#serverSelectors.get(namespace);
    if (selectors === undefined) return false;
    return (
      unreadTexts?.includes('labels') || selectors.values().some((selector) => selects(selector, labels))
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

type Selecting = Readonly<Record<'selecting' | 'selectingExternal', SelectorIndex<SelectingObject>>>;

const unconcerned: Concern<never> = { policies: 'same', rows: [] };
