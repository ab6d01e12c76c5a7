import { describe, type Fields } from './fields.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const whole = /^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/;
const part = /(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/gy;

/** A duration as Go writes it, such as 300ms, 1.5s or 1m30s, without sign; answers whole milliseconds, rounded up. */
export const readGoDuration = (fields: Fields, name: string): number | undefined => {
  const text = fields.text(name);
  if (text === undefined) return undefined;
  if (text === '0') return 0;
  if (!whole.test(text))
    return fields.refuse(name, `${describe(text)} is not a valid duration`, 'such as 300ms, 1.5s or 1m30s');
  const parts = [...text.matchAll(part)];
  return Math.ceil(
    parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0),
  );
};
