import { editDistance } from '@gatehouse/core/nearest-word';

/**
 * The known name that a wrong one was probably meant to be, or undefined. A setting that silently does nothing may
 * leave a mesh open, so near misses stop the start; everything farther away is another program's variable.
 */
export const lookalike = (name: string, known: readonly string[]): string | undefined =>
  known.find((candidate) => words(candidate) === words(name)) ??
  known.find((candidate) => editDistance(squeeze(candidate), squeeze(name)) <= 2);

const squeeze = (name: string): string => name.toUpperCase().replaceAll('_', '');

/** The same words in another order read the same to people. */
const words = (name: string): string => name.toUpperCase().split('_').sort().join('_');
