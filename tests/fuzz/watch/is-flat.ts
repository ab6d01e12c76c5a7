/** What one more storm may leave for reasons of its own: another set of objects, a row of the code cache. */
const slackBytes = 3e6;

/**
 * Whether memory after each storm stays where it was: the median of the last third against that of the second. The
 * first third is for warming up.
 */
export const isFlat = (heaps: readonly number[]): boolean => {
  const third = Math.floor(heaps.length / 3);
  return median(heaps.slice(-third)) <= median(heaps.slice(third, 2 * third)) * 1.05 + slackBytes;
};

const median = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
