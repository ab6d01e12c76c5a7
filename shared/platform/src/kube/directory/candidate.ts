import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';

/** An object of the folder with what only its manifest knows. */
export interface Candidate<K extends Kind = Kind> {
  /** '' for objects that no manifest holds. */
  readonly path: string;
  readonly object: KubeObject<K>;
  /** No address is written, so one is assigned. */
  readonly wantsAddress: boolean;
}

export const keyOf = ({ kind, meta }: KubeObject): string => `${kind}/${meta.namespace}/${meta.name}`;
