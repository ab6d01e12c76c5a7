import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

/** What the soaking process asks of the server's. */
export type Order =
  /** Changes and faults, drawn from this seed, until told otherwise. */
  | { readonly kind: 'storm'; readonly seed: number; readonly stormMs: number }
  /** No faults, no changes, and everything that is there. */
  | { readonly kind: 'calm' };

export type Said =
  | { readonly kind: 'serving'; readonly url: string }
  | {
      readonly kind: 'calmed';
      readonly objects: readonly WireObject[];
      readonly changes: number;
      /** How often each fault was planned. */
      readonly faults: Readonly<Record<string, number>>;
    };
