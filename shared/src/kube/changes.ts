import type { Problem } from '../core/problem.ts';
import type { Kind, KubeObject } from './kinds.ts';

/**
 * What a source says about one kind. A `reset` replaces everything known of the kind, atomically; the first thing said
 * of every kind is a reset. An object deleted and made again under another uid is a `delete`, then an `apply`.
 */
export type Change = { [K in Kind]: ChangeOf<K> }[Kind] | Unreadable;

export type ChangeOf<K extends Kind> =
  | { readonly type: 'reset'; readonly kind: K; readonly objects: readonly KubeObject<K>[] }
  | { readonly type: 'apply'; readonly kind: K; readonly object: KubeObject<K> }
  | {
      readonly type: 'delete';
      readonly kind: K;
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
    };

/**
 * Manifests that were never read since the source started: nobody knows what they hold, so while there is one the base
 * is deny everywhere (design §5.1). Replaces what was said before; only the directory source says it.
 */
export interface Unreadable {
  readonly type: 'unreadable';
  readonly manifests: readonly { readonly path: string; readonly problem: Problem }[];
}

/** Where objects come from: a folder of manifests, a Kubernetes API server, or a fake for tests. */
export interface Source {
  /**
   * Watches `kinds` until `signal` aborts. Each call of `deliver` is one batch that readers must see whole or not at
   * all. Resolves after an abort; rejects only when watching cannot go on (the folder is gone for good).
   */
  run(
    kinds: readonly Kind[],
    deliver: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void>;

  /** Per watched kind: has its first full list been delivered, and when was the last proof of life (epoch ms). */
  health(): readonly KindHealth[];
}

export interface KindHealth {
  readonly kind: Kind;
  readonly synced: boolean;
  readonly aliveAt: number;
}
