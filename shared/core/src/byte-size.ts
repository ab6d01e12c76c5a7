import { type Parsed, parsed, problem } from './problem.ts';

const units: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Bytes, from a text such as `512`, `64KiB`, `100MiB`, `1GiB`: powers of 1024, as memory and disks are measured in Kubernetes. */
export const parseByteSize = (text: string, field: string): Parsed<number> => {
  const [, digits = '', unit = ''] = /^(\d{1,9})([KMG]iB)?$/.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit] ?? Number.NaN);
  return digits !== '' && Number.isSafeInteger(bytes)
    ? parsed(bytes)
    : problem(field, `\`${text}\` is not a valid size`, 'write it as 64KiB, 100MiB or 1GiB');
};
