/** The release that this code belongs to, as package.json of every package has it: semver without a leading `v`. */
export const release = '0.1.0';

/** How two releases fit: a command line and services of the same major and minor version know the same. */
export type Skew = 'none' | 'older' | 'newer' | 'unknown';

/** Whether `other` is of an older or a newer minor version than `own`; patches do not count. */
export const skewOf = (own: string, other: string): Skew => {
  const [mine, theirs] = [own, other].map((text) => /^(\d+)\.(\d+)\.\d+/.exec(text)?.slice(1).map(Number));
  if (mine === undefined || theirs === undefined) return 'unknown';
  const difference = (theirs[0] ?? 0) - (mine[0] ?? 0) || (theirs[1] ?? 0) - (mine[1] ?? 0);
  if (difference === 0) return 'none';
  return difference < 0 ? 'older' : 'newer';
};
