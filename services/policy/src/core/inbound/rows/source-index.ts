import { SelectorIndex } from '@gatehouse/core/dependency/selector-index';
import { everything, type LabelSelector, type Labels, selects } from '@gatehouse/core/label-selector';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import type { ResolvedSource } from '../model.ts';
import type { Caller } from '../policy-view.ts';
import { dependsOnPods, resolveSource } from '../resolve-sources.ts';
import type { CallerChange, CallerIndex, NamespaceChange } from './caller-index.ts';

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

/** Whether the pods in the index are to be believed; `stale` withdraws what is granted to addresses (`onStale: deny`). */
export type AddressTrust = 'fresh' | 'stale';

/** One source that follows pods by their labels. */
interface Follower {
  readonly policy: Policy;
  readonly podSelector: LabelSelector;
  /** Undefined = the policy's own namespace. */
  readonly namespaceSelector: LabelSelector | undefined;
}

/**
 * What every source of a NetworkAuthenticationPolicy stands for now, resolved when first asked for and kept until
 * something it depends on changes: the policy itself, a caller that it selects or selected, a namespace's labels.
 */
export class SourceIndex {
  readonly #callers: CallerIndex;
  readonly #resolved = new Map<Policy, readonly ResolvedSource[]>();
  readonly #atHome = new Map<string, SelectorIndex<Follower>>();
  readonly #abroad = new SelectorIndex<Follower>();
  readonly #followers = new Map<Policy, readonly Follower[]>();
  #trust: AddressTrust = 'fresh';

  constructor(callers: CallerIndex) {
    this.#callers = callers;
  }

  resolve(policy: Policy): readonly ResolvedSource[] {
    if (isRejected(policy.spec)) return [];
    let sources = this.#resolved.get(policy);
    if (sources === undefined) {
      sources = policy.spec.sources.map((source) => this.#resolveSource(source, policy.meta.namespace));
      this.#resolved.set(policy, sources);
      this.#follow(policy, policy.spec.sources);
    }
    return sources;
  }

  /** The same without a memory of it: for a policy that may never be stored. */
  peek(policy: Policy): readonly ResolvedSource[] {
    if (isRejected(policy.spec)) return [];
    const { namespace } = policy.meta;
    return (
      this.#resolved.get(policy) ??
      policy.spec.sources.map((source) => this.#resolveSource(source, namespace))
    );
  }

  /** Forgets a policy that is no more, or has been replaced. */
  forget(policy: Policy): void {
    this.#resolved.delete(policy);
    for (const follower of this.#followers.get(policy) ?? [])
      this.#indexOf(follower)?.remove(follower, follower.podSelector);
    this.#followers.delete(policy);
    const index = this.#atHome.get(policy.meta.namespace);
    if (index?.isEmpty === true) this.#atHome.delete(policy.meta.namespace);
  }

  /** Forgets what the changes may have made wrong; answers the policies whose sources must be asked for again. */
  invalidate(callers: readonly CallerChange[], namespaces: readonly NamespaceChange[]): ReadonlySet<Policy> {
    const stale = new Set<Policy>();
    for (const { before, after } of callers) {
      for (const state of [before, after]) {
        if (state !== undefined) for (const policy of this.#policiesSelecting(state)) stale.add(policy);
      }
    }
    for (const { before, after } of namespaces) {
      for (const follower of this.#abroad.items()) {
        if (isSelected(follower, before) !== isSelected(follower, after)) stale.add(follower.policy);
      }
    }
    for (const policy of stale) this.forget(policy);
    return stale;
  }

  /** Returns the policies that this concerns. */
  setTrust(trust: AddressTrust): ReadonlySet<Policy> {
    if (trust === this.#trust) return new Set();
    this.#trust = trust;
    const concerned = new Set(this.#followers.keys());
    for (const policy of concerned) this.forget(policy);
    return concerned;
  }

  #resolveSource(source: PolicySource, namespace: string): ResolvedSource {
    if (!dependsOnPods(source)) return resolveSource(source, namespace, this.#callers.nobody);
    const resolved = resolveSource(source, namespace, this.#callers.reachOf(source, namespace));
    return this.#trust === 'stale' ? { ...resolved, grants: [] } : resolved;
  }

  #follow(policy: Policy, sources: readonly PolicySource[]): void {
    const followers = sources
      .filter(dependsOnPods)
      .map(({ podSelector = everything, namespaceSelector }) => ({ policy, podSelector, namespaceSelector }));
    if (followers.length === 0) return;
    this.#followers.set(policy, followers);
    for (const follower of followers) {
      if (follower.namespaceSelector === undefined && !this.#atHome.has(policy.meta.namespace)) {
        this.#atHome.set(policy.meta.namespace, new SelectorIndex());
      }
      this.#indexOf(follower)?.add(follower, follower.podSelector);
    }
  }

  #indexOf({ policy, namespaceSelector }: Follower): SelectorIndex<Follower> | undefined {
    return namespaceSelector === undefined ? this.#atHome.get(policy.meta.namespace) : this.#abroad;
  }

  *#policiesSelecting({ namespace, labels }: Caller): Generator<Policy> {
    for (const { policy } of this.#atHome.get(namespace)?.selecting(labels) ?? []) yield policy;
    const its = this.#callers.namespaces.get(namespace);
    for (const follower of this.#abroad.selecting(labels))
      if (isSelected(follower, its)) yield follower.policy;
  }
}

const isSelected = ({ namespaceSelector }: Follower, labels: Labels | undefined): boolean =>
  labels !== undefined && namespaceSelector !== undefined && selects(namespaceSelector, labels);
