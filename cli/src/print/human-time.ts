const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** A length of time in the one or two units that tell it apart, as kubectl prints ages: `45s`, `7m30s`, `26h`, `8d`, `3y40d`. */
export const printSpan = (ms: number): string => {
  const span = Math.max(0, Math.floor(ms / second) * second);
  if (span < 2 * minute) return `${span / second}s`;
  if (span < 10 * minute) return two(span, [minute, 'm'], [second, 's']);
  if (span < 3 * hour) return `${Math.floor(span / minute)}m`;
  if (span < 8 * hour) return two(span, [hour, 'h'], [minute, 'm']);
  if (span < 2 * day) return `${Math.floor(span / hour)}h`;
  if (span < 8 * day) return two(span, [day, 'd'], [hour, 'h']);
  if (span < 2 * year) return `${Math.floor(span / day)}d`;
  if (span < 8 * year) return two(span, [year, 'y'], [day, 'd']);
  return `${Math.floor(span / year)}y`;
};

type Unit = readonly [ms: number, letter: string];

const two = (span: number, [large, largeName]: Unit, [small, smallName]: Unit): string => {
  const rest = Math.floor((span % large) / small);
  return `${Math.floor(span / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
};

/** A moment as people say it: `3h ago`, `in 20h`. Milliseconds since the epoch. */
export const printMoment = (then: number, now: number): string =>
  then > now ? `in ${printSpan(then - now)}` : `${printSpan(now - then)} ago`;

/** The same moment for clocks: UTC, to the second. */
export const printClock = (then: number): string =>
  new Date(then)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
