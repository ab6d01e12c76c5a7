import type { Labels } from '../label-selector.ts';

/** A pod that is about to be created, or a template of pods, and what is known of where it will be. */
export interface PodToInject {
  /** With `metadata` and `spec`, as the API server or a manifest spells it. */
  readonly template: unknown;
  /** Where the template is in its object, for messages: `spec.template`. */
  readonly path?: string;
  readonly namespace: {
    /** Undefined where nobody knows it: a manifest may leave it to `kubectl -n`. */
    readonly name: string | undefined;
    readonly annotations: Labels;
  };
  /** The workload that makes it, as a person names it. */
  readonly owner: { readonly kind: string; readonly name: string } | undefined;
  /** Of policies that select it, where an index of them is at hand. */
  readonly policies?: { readonly select: boolean; readonly ports: readonly number[] };
}
