/** A trust bundle and when its file was last written or put in place (ctime), in whole milliseconds since the epoch. */
export interface WrittenBundle {
  readonly bundle: string;
  readonly writtenAt: number;
}

/**
 * `spiffe_sequence` of a bundle (SPIFFE Trust Domain and Bundle §4.1.1): rises whenever the bundle changes. It is the time
 * at which the file was written, so that a restart says what it said before; replicas, whose files a kubelet writes one
 * after the other, may differ by that much for the same bundle. Two changes within a millisecond, or a clock set back,
 * still count on from what this process said.
 */
export const bundleSequence = (
  { bundle, writtenAt }: WrittenBundle,
  before: { readonly bundle: string; readonly sequence: number } | undefined,
): number => {
  if (before === undefined) return writtenAt;
  return before.bundle === bundle ? before.sequence : Math.max(writtenAt, before.sequence + 1);
};
