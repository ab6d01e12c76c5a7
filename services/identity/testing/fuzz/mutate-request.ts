import { type KeyObject, sign } from 'node:crypto';
import { derBitString } from '@gatehouse/core/der/der';
import { changeAt, childrenOf, type DerTree, elementAt, pathsOf, readTree, writeTree } from './der-tree.ts';
import type { Dice } from './dice.ts';
import { encodingMutationNames, encodingMutations } from './encoding-mutations.ts';

export interface MutatedRequest {
  /** What was done, for reports. */
  readonly what: readonly string[];
  readonly der: Uint8Array;
}

/**
 * Spoils one to three elements of a good request, wherever they lie. Mostly it is signed again afterwards, since otherwise
 * the signature would hide what the reader thinks of the rest.
 */
export const mutateRequest = (good: Uint8Array, key: KeyObject, dice: Dice): MutatedRequest => {
  const what: string[] = [];
  let tree = readTree(good);
  for (const left = { mutations: dice.pick([1, 1, 1, 2, 3]) }; left.mutations > 0; ) {
    const name = dice.pick(encodingMutationNames);
    const path = dice.pick(pathsOf(tree));
    const changed = encodingMutations[name](elementAt(tree, path), dice);
    if (changed === undefined) continue;
    tree = changeAt(tree, path, () => changed);
    what.push(name);
    left.mutations -= 1;
  }
  const isSealed = dice.chance(0.7);
  return { what, der: writeTree(isSealed ? sealedAnew(tree, key) : tree) };
};

const sealedAnew = (tree: DerTree, key: KeyObject): DerTree => {
  const [info, algorithm, signature, ...rest] = childrenOf(tree);
  if (info === undefined || algorithm === undefined || signature === undefined) return tree;
  const bits = derBitString(sign('sha256', writeTree(info), key));
  return { ...tree, body: [info, algorithm, readTree(bits), ...rest] };
};
