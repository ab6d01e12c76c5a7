import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';

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

  /** Per watched kind: has its first full list been delivered, and how old is the last proof of life. */
  health(): readonly KindHealth[];
}

export interface KindHealth {
  readonly kind: Kind;
  readonly synced: boolean;
  /** Milliseconds since the last proof of life, measured on a clock that only goes forward; undefined before the first. */
  readonly staleMs: number | undefined;
}
