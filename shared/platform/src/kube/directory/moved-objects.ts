import { keyOf } from './candidate.ts';
import type { Draft } from './draft.ts';
import type { Manifest } from './manifest.ts';

type WrittenObject = Extract<Draft, { type: 'object' }>;

/** Policies, and Namespaces, whose annotations restrict their pods. */
const restricts = (draft: Draft): draft is WrittenObject =>
  draft.type === 'object' && (draft.reject !== undefined || draft.object.kind === 'Namespace');

const isBroken = ({ state }: Manifest): boolean => state.kind === 'broken';

/**
 * An object that vanishes from its file while another file is broken may have been moved into that one, and what it
 * restricted must not open meanwhile (design §15.1). So it counts as the broken manifest's until it is found elsewhere, or
 * every manifest can be read.
 */
export class MovedObjects {
  /** Wherever they were last, since nothing was broken or being written. */
  #held: readonly WrittenObject[] = [];
  #missing: readonly WrittenObject[] = [];

  /** Takes in the manifests as they are now; at rest, no file is being written. */
  take(manifests: readonly Manifest[], isAtRest: boolean): void {
    const present = manifests.flatMap(({ path, drafts }) =>
      drafts.filter(restricts).map((draft) => ({ ...draft, lastIn: path })),
    );
    const keys = new Set(present.map(({ object }) => keyOf(object)));
    const vanished = this.#held.filter(({ object }) => !keys.has(keyOf(object)));
    const isAnyBroken = manifests.some(isBroken);
    this.#missing = isAnyBroken ? vanished : [];
    this.#held = isAtRest && !isAnyBroken ? present : [...present, ...vanished];
  }

  /** The manifests, with what is missing in a broken one. */
  addTo(manifests: readonly Manifest[]): readonly Manifest[] {
    if (this.#missing.length === 0) return manifests;
    const holder = manifests.find(isBroken);
    return manifests.map((manifest) =>
      manifest === holder ? { ...manifest, drafts: [...manifest.drafts, ...this.#missing] } : manifest,
    );
  }
}
