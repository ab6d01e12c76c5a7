import { type LabelSelector, type Labels, selects } from '@gatehouse/core/label-selector';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Enforcement } from '../inbound/enforcement.ts';

/** A pod, and whether a proxy of this mesh stands before it. */
export interface JudgedPod {
  readonly pod: KubeObject<'Pod'>;
  readonly enforcement: Enforcement;
}

/**
 * The pods of a namespace by those labels that some selectors look at, so that many selectors cost one look at each pod and
 * then one at each group: the pods of a Deployment are a group whatever else tells them apart.
 */
export class PodsByLabels {
  readonly #keys: ReadonlySet<string>;
  readonly #groups = new Map<string, { readonly labels: Labels; readonly pods: JudgedPod[] }>();

  /** For these selectors and no others. */
  constructor(selectors: Iterable<LabelSelector>) {
    const keys = new Set<string>();
    for (const { matchLabels, matchExpressions } of selectors) {
      for (const key of Object.keys(matchLabels)) keys.add(key);
      for (const { key } of matchExpressions) keys.add(key);
    }
    this.#keys = keys;
  }

  add(judged: JudgedPod): void {
    const labels = Object.entries(judged.pod.meta.labels)
      .filter(([key]) => this.#keys.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify(labels);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { labels: Object.fromEntries(labels), pods: [judged] });
    else group.pods.push(judged);
  }

  /** In no particular order. */
  selectedBy(selector: LabelSelector): readonly JudgedPod[] {
    return [...this.#groups.values()].flatMap(({ labels, pods }) => (selects(selector, labels) ? pods : []));
  }
}
