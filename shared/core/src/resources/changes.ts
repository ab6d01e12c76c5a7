import type { Problem } from '../problem.ts';
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
 * Manifests that were never read since the source started: nobody knows what they hold, so while there is one the base is
 * deny in the namespaces that they may be about, and nothing is granted there on single requests (design §5.1, §15.1).
 * Replaces what was said before; only the directory source says it.
 */
export interface Unreadable {
  readonly type: 'unreadable';
  readonly manifests: readonly UnreadableManifest[];
}

export interface UnreadableManifest {
  readonly path: string;
  readonly problem: Problem;
  /** Those that what it holds may be about. */
  readonly namespaces: readonly string[] | 'all';
}

/** Those that may be about a namespace. */
export const unreadableIn = (
  manifests: Unreadable['manifests'],
  namespace: string,
): Unreadable['manifests'] =>
  manifests.filter(({ namespaces }) => namespaces === 'all' || namespaces.includes(namespace));
