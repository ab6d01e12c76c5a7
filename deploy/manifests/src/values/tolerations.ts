import { quoted } from '@gatehouse/core/foreign-text';
import type { ValueForm } from '@gatehouse/core/injection/value-forms';
import { nearestWord } from '@gatehouse/core/nearest-word';
import { type Problem, parsed, problem } from '@gatehouse/core/problem';
import { describe, isWireObject } from '@gatehouse/platform/kube/parse/fields';

/** Which taints of nodes a pod tolerates (core/v1 Toleration). */
export type Toleration = Readonly<Record<string, string | number>>;

const operators = ['Exists', 'Equal'];
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

const oneOf = (words: readonly string[]) => ({
  fits: (value: unknown) => words.some((word) => word === value),
  fix: `use one of ${words.join(', ')}`,
});
const text = { fits: (value: unknown) => typeof value === 'string', fix: 'write text, in quotes' };

const fields = {
  key: text,
  operator: oneOf(operators),
  value: text,
  effect: oneOf(effects),
  tolerationSeconds: { fits: Number.isSafeInteger, fix: 'write a whole number' },
};

const isField = (name: string): name is keyof typeof fields => Object.hasOwn(fields, name);

const flaws = (value: unknown, path: string): readonly Problem[] => {
  if (!isWireObject(value)) {
    return [
      { field: path, found: `${describe(value)} is not an object`, fix: 'write key, operator, effect' },
    ];
  }
  return Object.entries(value).flatMap(([name, written]): readonly Problem[] => {
    const field = `${path}.${name}`;
    if (!isField(name)) {
      const meant = nearestWord(name, Object.keys(fields));
      const fix = meant === undefined ? `use ${Object.keys(fields).join(', ')}` : `${meant} is meant?`;
      return [{ field, found: 'unknown field', fix }];
    }
    const { fits, fix } = fields[name];
    return fits(written) ? [] : [{ field, found: `${describe(written)} is not a valid value`, fix }];
  });
};

/** Written in a file only: a command line has no good way to write a list of objects. */
export const tolerations: ValueForm<readonly Toleration[]> = {
  form: 'list of tolerations',
  readText: (written, field) =>
    problem(field, `${quoted(written)} is not a list`, 'write the list in a file, and name it with --values'),
  readJson: (value, field) => {
    if (!Array.isArray(value)) {
      return problem(field, `${describe(value)} is not a list`, 'write a list of tolerations');
    }
    const problems = value.flatMap((item, index) => flaws(item, `${field}[${index}]`));
    return problems.length > 0 ? { ok: false, problems } : parsed(value as readonly Toleration[]);
  },
};
