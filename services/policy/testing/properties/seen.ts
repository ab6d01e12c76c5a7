/** What a property met, so that a test can say that nothing is missing. */
export type Seen = Map<string, number>;

export const count = (seen: Seen, what: string): void => {
  seen.set(what, (seen.get(what) ?? 0) + 1);
};

/** Those that were met less often than `least`. */
export const rareIn = (seen: Seen, wanted: readonly string[], least: number): readonly string[] =>
  wanted.filter((what) => (seen.get(what) ?? 0) < least);
