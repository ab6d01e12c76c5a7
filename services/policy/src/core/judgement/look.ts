import type { LabelSelector } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { ClusterConfig, ResolvedSource } from '../inbound/model.ts';
import { classFacts } from '../inbound/rows/class-facts.ts';
import { judgedFacts } from './judged-facts.ts';
import type { JudgedRows, SelectedRows } from './judged-rows.ts';
import type { Judgement } from './judgement.ts';
import type { PodSelection } from './pod-selections.ts';

/** What judgements are made of. */
export interface Evidence {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly select: (namespace: string, selector: LabelSelector) => PodSelection;
  readonly rows: JudgedRows;
  readonly sourcesOf: (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];
  /** How many AuthorizationPolicies refer to an authentication, a `references` fact. */
  readonly referencesTo: (fact: string) => number;
  readonly serverJudgement: (server: KubeObject<'Server'>) => {
    readonly judgement: Judgement;
    readonly reads: ReadonlySet<string>;
  };
}

/** The evidence as one judgement looks at it: what it read is what it must be made again for. */
export class Look {
  readonly reads = new Set<string>();
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  get cluster(): ClusterConfig {
    return this.#evidence.cluster;
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): KubeObject<K> | undefined {
    this.reads.add(judgedFacts.object(kind, namespace, name));
    return this.#evidence.index.get(kind, namespace, name);
  }

  /** A pod can only have been made under a ServiceAccount that there was; a folder may leave it out. */
  hasAccount(namespace: string, name: string): boolean {
    if (this.get('ServiceAccount', namespace, name) !== undefined) return true;
    this.reads.add(judgedFacts.account(namespace, name));
    return this.#evidence.index
      .in('Pod', namespace)
      .values()
      .some(({ spec }) => spec.serviceAccount === name);
  }

  hasNamespace(name: string): boolean {
    return this.get('Namespace', '', name) !== undefined;
  }

  /** Read whole by anyone who asks. */
  namespaces(): Iterable<KubeObject<'Namespace'>> {
    this.reads.add(judgedFacts.namespaces);
    return this.#evidence.index.all('Namespace');
  }

  servers(namespace: string): readonly KubeObject<'Server'>[] {
    this.reads.add(judgedFacts.servers(namespace));
    return [...this.#evidence.index.in('Server', namespace).values()];
  }

  externalWorkloads(namespace: string): Iterable<KubeObject<'ExternalWorkload'>> {
    this.reads.add(judgedFacts.externalWorkloads(namespace));
    return this.#evidence.index.in('ExternalWorkload', namespace).values();
  }

  select(namespace: string, selector: LabelSelector): PodSelection {
    return this.#reading(this.#evidence.select(namespace, selector));
  }

  rows(selection: PodSelection, ports: readonly PortSelector[] | 'all'): SelectedRows {
    return this.#reading(this.#evidence.rows.of(selection, ports));
  }

  sourcesOf(policy: KubeObject<'NetworkAuthenticationPolicy'>): readonly ResolvedSource[] {
    this.reads.add(classFacts.sources(policy.meta.namespace, policy.meta.name));
    return this.#evidence.sourcesOf(policy);
  }

  referencesTo({ kind, meta }: KubeObject): number {
    const fact = judgedFacts.references(kind, meta.namespace, meta.name);
    this.reads.add(fact);
    return this.#evidence.referencesTo(fact);
  }

  judgementOf(server: KubeObject<'Server'>): Judgement {
    return this.#reading(this.#evidence.serverJudgement(server)).judgement;
  }

  #reading<T extends { readonly reads: ReadonlySet<string> }>(made: T): T {
    for (const fact of made.reads) this.reads.add(fact);
    return made;
  }
}
