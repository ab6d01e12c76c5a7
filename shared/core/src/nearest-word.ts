const foldCase = (text: string): string => text.toLowerCase();

/** Edits (insert, delete, replace) that turn one text into the other: Levenshtein's distance. */
export const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replace = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
};

/**
 * The word that was probably meant: the nearest of those known, no further away than a third of what was written
 * (at least one edit); undefined when nothing is near. Case costs nothing; ties go to the first.
 */
export const nearestWord = (written: string, known: readonly string[]): string | undefined => {
  const limit = Math.max(1, Math.floor(written.length / 3));
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const word of known) {
    if (Math.abs(word.length - written.length) > limit) continue;
    const edits = editDistance(foldCase(written), foldCase(word));
    if (edits <= limit && (best === undefined || edits < best.edits)) best = { word, edits };
  }
  return best?.word;
};
