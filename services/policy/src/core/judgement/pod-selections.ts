import { Readers } from '@gatehouse/core/dependency/readers';
import { anchorOf, keysOf } from '@gatehouse/core/dependency/selector-index';
import { SetMap } from '@gatehouse/core/dependency/set-map';
import { type LabelSelector, selects } from '@gatehouse/core/label-selector';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import type { JudgedPod } from '../answers/judge-selection.ts';
import { podEnforcement } from '../inbound/enforcement.ts';
import type { ClusterConfig, Workload } from '../inbound/model.ts';
import { classFacts } from '../inbound/rows/class-facts.ts';
import { classKey, narrowed } from '../inbound/rows/workload-class.ts';
import { workloadOf } from '../inbound/workload-of.ts';
import { judgedFacts } from './judged-facts.ts';

type Pod = KubeObject<'Pod'>;

/** Which pods a selector selects, and by which of them policy is enforced. */
export interface PodSelection {
  readonly pods: readonly JudgedPod[];
  /** Of those that policy is enforced on, by key. */
  readonly classes: ReadonlyMap<string, Workload>;
  /** The facts that it is made of. */
  readonly reads: ReadonlySet<string>;
}

export interface PodSelectionsOptions {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly labelKeys: (namespace: string) => ReadonlySet<string>;
}

/**
 * What selectors select, worked out when first asked for and kept until a pod that they select, or selected, changes. Equal
 * selectors of a namespace share it, and one that insists on a label looks at the pods that have it and no others.
 */
export class PodSelections {
  readonly #options: PodSelectionsOptions;
  readonly #selections = new Map<string, PodSelection>();
  readonly #readers = new Readers<string>();
  /** Pods by the values of one label, by namespace and label name; for the names that selectors insist on. */
  readonly #byLabel = new Map<string, Map<string, SetMap<string, Pod>>>();

  constructor(options: PodSelectionsOptions) {
    this.#options = options;
  }

  /** Takes what a batch changed, and the facts that it touched. */
  take(touched: readonly Touched[], facts: Iterable<string>): void {
    for (const { kind, before, after } of touched) {
      if (kind !== 'Pod') continue;
      if (before !== undefined) this.#enter(before as Pod, 'remove');
      if (after !== undefined) this.#enter(after as Pod, 'add');
    }
    for (const fact of facts) for (const key of [...this.#readers.of(fact)]) this.#forget(key);
  }

  forgetAll(): void {
    for (const key of [...this.#selections.keys()]) this.#forget(key);
  }

  of(namespace: string, selector: LabelSelector): PodSelection {
    const key = keyOf(namespace, selector);
    const known = this.#selections.get(key);
    if (known !== undefined) return known;
    const keys = this.#options.labelKeys(namespace);
    const fresh = this.#select(namespace, selector, {
      keys,
      candidates: this.#candidates(namespace, selector),
    });
    this.#selections.set(key, fresh);
    this.#readers.move(key, new Set(), fresh.reads);
    return fresh;
  }

  /** The same for the selector of an object that is not stored: it is not kept, and its label names tell classes apart, too. */
  once(namespace: string, selector: LabelSelector): PodSelection {
    const known = this.#selections.get(keyOf(namespace, selector));
    if (known !== undefined) return known;
    const { index, labelKeys } = this.#options;
    const keys = labelKeys(namespace).union(keysOf(selector));
    return this.#select(namespace, selector, { keys, candidates: index.in('Pod', namespace).values() });
  }

  #forget(key: string): void {
    const selection = this.#selections.get(key);
    if (selection === undefined) return;
    this.#readers.move(key, selection.reads, new Set());
    this.#selections.delete(key);
  }

  #select(namespace: string, selector: LabelSelector, { keys, candidates }: Among): PodSelection {
    const { index, cluster } = this.#options;
    const namespaceAnnotations = index.get('Namespace', '', namespace)?.meta.annotations ?? {};
    const facts = { mesh: cluster.mesh, namespaceAnnotations };
    const pods: JudgedPod[] = [];
    const classes = new Map<string, Workload>();
    for (const pod of candidates) {
      if (!selects(selector, pod.meta.labels)) continue;
      const enforcement = podEnforcement(pod, facts);
      pods.push({ pod, enforcement });
      if (enforcement.kind === 'not-enforced') continue;
      const workload = narrowed(workloadOf(pod), keys);
      classes.set(classKey(workload), workload);
    }
    const reads = new Set([
      judgedFacts.pods(namespace, anchorOf(selector)),
      judgedFacts.labelKeys(namespace),
      classFacts.annotations(namespace),
    ]);
    return { pods, classes, reads };
  }

  #candidates(namespace: string, { matchLabels }: LabelSelector): Iterable<Pod> {
    const { index } = this.#options;
    for (const [key, value] of Object.entries(matchLabels)) {
      const labels = this.#byLabel.get(namespace) ?? new Map<string, SetMap<string, Pod>>();
      this.#byLabel.set(namespace, labels);
      let bearers = labels.get(key);
      if (bearers === undefined) {
        bearers = new SetMap();
        labels.set(key, bearers);
        for (const pod of index.in('Pod', namespace).values()) {
          const its = labelOf(pod, key);
          if (its !== undefined) bearers.add(its, pod);
        }
      }
      return bearers.get(value);
    }
    return index.in('Pod', namespace).values();
  }

  #enter(pod: Pod, how: 'add' | 'remove'): void {
    for (const [key, bearers] of this.#byLabel.get(pod.meta.namespace) ?? []) {
      const its = labelOf(pod, key);
      if (its !== undefined) bearers[how](its, pod);
    }
  }
}

interface Among {
  /** The label names by which classes are told apart. */
  readonly keys: ReadonlySet<string>;
  /** Every pod that may be selected. */
  readonly candidates: Iterable<Pod>;
}

const keyOf = (namespace: string, selector: LabelSelector): string =>
  `${namespace} ${JSON.stringify(selector)}`;

const labelOf = ({ meta: { labels } }: Pod, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;
