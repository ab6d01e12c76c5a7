import { keyOf } from './candidate.ts';
import type { Draft } from './draft.ts';
import type { Manifest } from './manifest.ts';

type Policy = Extract<Draft, { type: 'object' }>;

const isPolicy = (draft: Draft): draft is Policy => draft.type === 'object' && draft.reject !== undefined;

const policiesOf = (manifests: Iterable<Manifest>): readonly Policy[] =>
  [...manifests].flatMap(({ drafts }) => drafts.filter(isPolicy));

/**
 * A policy object that vanishes from its file while another file is broken may have been moved into that one, and what it
 * restricted must not open meanwhile (design §15.1). So the broken manifest is said to hold it, which makes it a rejected
 * object until the manifest can be read. Undefined when nothing vanished, or nothing is broken.
 */
export const withMovedObjects = (
  before: ReadonlyMap<string, Manifest>,
  now: ReadonlyMap<string, Manifest>,
): Manifest | undefined => {
  const broken = [...now.values()].find(({ state }) => state.kind === 'broken');
  if (broken === undefined) return undefined;
  const present = new Set(policiesOf(now.values()).map(({ object }) => keyOf(object)));
  const vanished = policiesOf(before.values()).filter(({ object }) => !present.has(keyOf(object)));
  return vanished.length === 0 ? undefined : { ...broken, drafts: [...broken.drafts, ...vanished] };
};
