import { type Parsed, parsed, problem } from './problem.ts';

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `250ms`, `20s`, `5m`, `24h`, `1d` or a bare `0`: Linkerd's form, no sign and no fraction. Answers milliseconds. */
export const parseDuration = (text: string, field = ''): Parsed<number> => {
  if (text === '0') return parsed(0);
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2] as keyof typeof units | undefined;
  if (match === null || unit === undefined) {
    return problem(
      field,
      `\`${text}\` is not a valid duration`,
      'a whole number with ms, s, m, h or d, such as 20s',
    );
  }
  return parsed(Number(match[1]) * units[unit]);
};

/** Prints milliseconds in the largest unit that keeps them whole, so that it reads back the same. */
export const printDuration = (ms: number): string => {
  if (ms === 0) return '0';
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (ms % units[unit] === 0) return `${ms / units[unit]}${unit}`;
  return `${ms}ms`;
};
