/**
 * The known name that a wrong one was probably meant to be, or undefined. A setting that silently does nothing may
 * leave a mesh open, so near misses stop the start; everything farther away is somebody's own variable.
 */
export const lookalike = (name: string, known: readonly string[]): string | undefined =>
  known.find((candidate) => words(candidate) === words(name)) ??
  known.find((candidate) => distance(squeeze(candidate), squeeze(name)) <= 2);

const squeeze = (name: string): string => name.toUpperCase().replaceAll('_', '');

/** The same words in another order read the same to people. */
const words = (name: string): string => name.toUpperCase().split('_').sort().join('_');

/** Insertions, deletions, substitutions and swaps of neighbours between two texts (optimal string alignment). */
const distance = (a: string, b: string): number => {
  let twoBack: number[] = [];
  let oneBack = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (oneBack[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (oneBack[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (twoBack[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    [twoBack, oneBack] = [oneBack, current];
  }
  return oneBack[b.length] ?? 0;
};
