import { quoted } from './foreign-text.ts';
import { type Parsed, parsed, problem } from './problem.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const whole = /^(?:\d{1,12}(?:\.\d{0,9})?(?:ns|us|µs|ms|s|m|h)){1,7}$/;
const part = /(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/gy;

/** Reads a duration as Go writes it, such as 300ms, 1.5s or 1m30s, without sign. Returns whole milliseconds, rounded up. */
export const parseGoDuration = (text: string, field = ''): Parsed<number> => {
  if (text === '0') return parsed(0);
  if (!whole.test(text))
    return problem(field, `${quoted(text)} is not a valid duration`, 'such as 300ms, 1.5s or 1m30s');
  const parts = [...text.matchAll(part)];
  return parsed(
    Math.ceil(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0)),
  );
};
