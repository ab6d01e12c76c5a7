import { civilDate } from './der/der.ts';

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** A length of time as people say it: `3 days`, `1 hour`, `40 seconds`. Cut to whole units, of which there are two or more where possible. */
export const printSpan = (ms: number): string => {
  for (const [unit, length] of units) {
    const count = Math.floor(ms / length);
    // Below two of a unit the next smaller one says more: 47 hours, not 1 day.
    if (count >= 2 || unit === 'second') return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return '0 seconds';
};

/** A point in time for people and programs: RFC 3339 in UTC, cut to the second. */
export const printTime = (epochMs: number): string => {
  const seconds = Math.floor(epochMs / 1_000);
  const days = Math.floor(seconds / 86_400);
  const { year, month, day } = civilDate(days);
  const second = seconds - days * 86_400;
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = [String(year).padStart(4, '0'), two(month), two(day)].join('-');
  return `${date}T${[Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60].map(two).join(':')}Z`;
};
