import { describe, type Fields } from './fields.ts';

/** RFC 3339 as API servers write it; `Date.parse` alone would take almost anything for a time. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the epoch; undefined where nothing is written, or with a problem where it is not a time. */
export const readTime = (fields: Fields, name: string): number | undefined => {
  const text = fields.text(name);
  if (text === undefined) return undefined;
  const time = timestamp.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time)
    ? fields.refuse(name, `${describe(text)} is not a valid time`, 'RFC 3339, such as 2026-01-31T12:00:00Z')
    : time;
};
