import type { LeafFiles, PresentedLeaf } from './presented-leaf.ts';

/** Somebody else's idea of what a good certificate is. */
export interface Verifier {
  readonly name: string;
  /** Why it cannot be asked on this machine; undefined when it can. */
  readonly missing: string | undefined;
  /** Undefined when it accepts the leaf for its name, as server and as client; else what it says against it. */
  refusal(leaf: PresentedLeaf, files: LeafFiles): Promise<string | undefined>;
}
