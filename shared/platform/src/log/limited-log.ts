/**
 * Says at most one line per `everyMs`, for events that a stranger can cause as often as he likes. The next line counts
 * what was left out since the one before. `now` is a clock that only goes forward: on one that is set back, it would fall silent.
 */
export const limitedLog = (
  say: (fields: Readonly<Record<string, unknown>>, message: string) => void,
  {
    everyMs = 10_000,
    now = () => performance.now(),
  }: { readonly everyMs?: number; readonly now?: () => number } = {},
): ((fields: Readonly<Record<string, unknown>>, message: string) => void) => {
  let last = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return (fields, message) => {
    if (now() - last < everyMs) {
      leftOut += 1;
      return;
    }
    say({ ...fields, ...(leftOut > 0 ? { leftOut } : {}) }, message);
    last = now();
    leftOut = 0;
  };
};
