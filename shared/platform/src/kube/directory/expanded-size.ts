import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

export interface ExpandedLimits {
  /** Characters of keys and texts, and one for each value. */
  readonly size: number;
  readonly levels: number;
}

interface Measured {
  readonly size: number;
  /** Levels below and with this one. */
  readonly levels: number;
}

type Composite = readonly unknown[] | Readonly<Record<string, unknown>>;

/**
 * How large a value is once every alias is written out. Aliases share one object, so the value is measured in time that
 * follows what was written; what walks it later pays for what it stands for: a few lines can stand for billions.
 */
export const measureExpanded = (value: unknown, limits: ExpandedLimits): Parsed<number> => {
  const known = new Map<Composite, Measured | 'open'>();

  const measure = (value: unknown, level: number): Measured | string => {
    if (typeof value === 'string') return { size: value.length + 1, levels: 0 };
    if (typeof value !== 'object' || value === null) return { size: 1, levels: 0 };
    const composite = value as Composite;
    const before = known.get(composite);
    if (before === 'open') return 'an anchor holds an alias to itself';
    if (before !== undefined) return level + before.levels > limits.levels ? tooDeep(limits) : before;
    if (level >= limits.levels) return tooDeep(limits);
    known.set(composite, 'open');
    let size = 1;
    let levels = 0;
    if (!Array.isArray(composite)) for (const key of Object.keys(composite)) size += key.length;
    for (const inner of Object.values(composite)) {
      const measured = measure(inner, level + 1);
      if (typeof measured === 'string') return measured;
      size += measured.size;
      levels = Math.max(levels, measured.levels);
      if (size > limits.size)
        return `with its aliases written out it is longer than ${limits.size} characters`;
    }
    const measured = { size, levels: levels + 1 };
    known.set(composite, measured);
    return measured;
  };

  const measured = measure(value, 0);
  return typeof measured === 'string'
    ? problem('', measured, 'write it with fewer aliases')
    : parsed(measured.size);
};

const tooDeep = ({ levels }: ExpandedLimits): string => `it nests more than ${levels} levels deep`;
