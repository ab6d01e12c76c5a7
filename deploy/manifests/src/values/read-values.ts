import { GatehouseError } from '@gatehouse/core/error';
import type { Field } from '@gatehouse/core/injection/proxy-settings';
import { nearestWord } from '@gatehouse/core/nearest-word';
import { type Problem, printProblem } from '@gatehouse/core/problem';
import { describe, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { linkerdNames } from './linkerd-names.ts';
import {
  allValues,
  highlyAvailable,
  isField,
  type Values,
  type ValueTree,
  valueFields,
} from './value-fields.ts';
import { isTree, overlay, WrittenText } from './written-values.ts';

export interface ReadValues {
  readonly values: Values;
  /** What was given, without defaults, each value in the form in which it is read again: for the next upgrade. */
  readonly given: WireObject;
}

/**
 * The values of an installation from what was written, later layers over earlier ones. Throws one `invalid-argument` that
 * lists every problem, each by the path of its value.
 */
export const readValues = (layers: readonly WireObject[]): ReadValues => {
  const written = layers.reduce(overlay, {});
  const problems: Problem[] = [];
  const first = read(valueFields, written, '', problems);
  // Only what is written beside it can say whether other defaults hold.
  const wanted = (first.values as Values).highAvailability === true ? highlyAvailable : {};
  const outcome = read(valueFields, overlay(wanted, written), '', []);
  if (problems.length > 0) throw unusableValues(problems);
  return { values: outcome.values as Values, given: first.given };
};

export const unusableValues = (problems: readonly Problem[]): GatehouseError =>
  new GatehouseError(
    'invalid-argument',
    `the values cannot be used:\n${problems.map((one) => `  ${printProblem(one)}`).join('\n')}`,
    { details: { problems } },
  );

interface Part {
  readonly values: unknown;
  readonly given: WireObject;
}

const read = (tree: ValueTree, written: WireObject, above: string, problems: Problem[]): Part => {
  const values: Record<string, unknown> = {};
  const given: Record<string, unknown> = {};
  const pathOf = (name: string): string => (above === '' ? name : `${above}.${name}`);
  for (const name of Object.keys(written)) {
    if (!Object.hasOwn(tree, name)) problems.push(unknown(pathOf(name), written[name], Object.keys(tree)));
  }
  for (const [name, node] of Object.entries(tree)) {
    const path = pathOf(name);
    const value = Object.hasOwn(written, name) ? written[name] : undefined;
    if (isField(node)) {
      values[name] = value === undefined ? node.fallback : readField(node, value, path, problems);
      if (value !== undefined) given[name] = values[name];
      continue;
    }
    if (value !== undefined && !isTree(value)) problems.push(notAGroup(path, value, node));
    const part = read(node, isTree(value) ? value : {}, path, problems);
    values[name] = part.values;
    if (Object.keys(part.given).length > 0) given[name] = part.given;
  }
  return { values, given };
};

const readField = ({ form }: Field<unknown>, value: unknown, path: string, problems: Problem[]): unknown => {
  const outcome =
    value instanceof WrittenText ? form.readText(value.text, path) : form.readJson(withoutTexts(value), path);
  if (outcome.ok) return outcome.value;
  problems.push(...outcome.problems);
  return undefined;
};

/** In an object that is one value, such as labels, everything from a command line is text. */
const withoutTexts = (value: unknown): unknown => {
  if (value instanceof WrittenText) return value.text;
  return isTree(value)
    ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutTexts(each)]))
    : value;
};

const unknown = (path: string, value: unknown, beside: readonly string[]): Problem => {
  const full = [path, ...(isTree(value) ? pathsIn(value, path) : [])];
  const known = full.find((each) => Object.hasOwn(linkerdNames, each));
  const last = path.slice(path.lastIndexOf('.') + 1);
  const near = nearestWord(last, beside);
  const meant =
    near === undefined
      ? nearestWord(
          path,
          allValues.map((each) => each.path),
        )
      : path.slice(0, path.length - last.length) + near;
  const fix =
    known !== undefined
      ? `Linkerd's ${known} is ${linkerdNames[known]} here`
      : meant !== undefined
        ? `${meant} is meant?`
        : 'docs/reference/values.md lists all values';
  return { field: known ?? path, found: 'unknown value', fix };
};

const pathsIn = (tree: WireObject, above: string): readonly string[] =>
  Object.entries(tree).flatMap(([name, node]) => {
    const path = `${above}.${name}`;
    return [path, ...(isTree(node) ? pathsIn(node, path) : [])];
  });

const notAGroup = (path: string, value: unknown, tree: ValueTree): Problem => ({
  field: path,
  found: `${value instanceof WrittenText ? describe(value.text) : describe(value)} cannot be its value`,
  fix: `set one of ${Object.keys(tree)
    .map((name) => `${path}.${name}`)
    .join(', ')}`,
});
