import { quoted } from '@gatehouse/core/foreign-text';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import { describe, isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';

/** A value from a command line, which has no types: the form of the value reads it. */
export class WrittenText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Reads a file of values: one YAML or JSON object. Problems name the file. */
export const readValuesFile = (text: string, file: string): Parsed<WireObject> => {
  const loaded = loadYaml(text);
  if (!loaded.ok) {
    return {
      ok: false,
      problems: loaded.problems.map((each) => ({
        ...each,
        field: [file, each.field].filter(Boolean).join(', '),
      })),
    };
  }
  const documents = loaded.value.filter((document) => document !== null && document !== undefined);
  const [values = {}, ...more] = documents;
  if (more.length > 0) return problem(file, 'holds several YAML documents', 'write one object of values');
  return isWireObject(values)
    ? parsed(values)
    : problem(file, `holds ${describe(values)}`, 'write an object of values');
};

/**
 * Reads `a.b=c`, as Helm's `--set` does. A comma begins another assignment where a name and `=` follow, so that lists such as
 * `clusterNetworks=10.0.0.0/8,fd00::/8` need no quoting; `\,` and `\.` stand for the characters, and braces around a list may be left out.
 */
export const readAssignments = (text: string): Parsed<WireObject> => {
  const tree: Record<string, unknown> = {};
  for (const assignment of text.split(/(?<!\\),(?=[\w.\\/-]+(?<!\\)=)/)) {
    const [, path = '', value = ''] = /^((?:[^=\\]|\\.)+)=([\s\S]*)$/.exec(assignment) ?? [];
    const names = path.split(/(?<!\\)\./).map(withoutBackslashes);
    if (path === '' || names.includes('')) {
      return problem(
        '--set',
        `${quoted(assignment)} is not an assignment`,
        'use NAME=VALUE, such as replicas=3',
      );
    }
    put(tree, names, new WrittenText(withoutBackslashes(value.replace(/^\{(.*)\}$/s, '$1'))));
  }
  return parsed(tree);
};

const withoutBackslashes = (text: string): string => text.replace(/\\([,.=\\{}])/g, '$1');

const put = (
  tree: Record<string, unknown>,
  [name = '', ...below]: readonly string[],
  value: unknown,
): void => {
  if (below.length === 0) {
    set(tree, name, value);
    return;
  }
  const next = isTree(tree[name]) ? { ...tree[name] } : {};
  put(next, below, value);
  set(tree, name, next);
};

/** `__proto__` is a name like any other. */
const set = (tree: Record<string, unknown>, name: string, value: unknown): void => {
  Object.defineProperty(tree, name, { value, enumerable: true, configurable: true, writable: true });
};

/** Values by name, as opposed to a value that is written. */
export const isTree = (value: unknown): value is WireObject =>
  isWireObject(value) && !(value instanceof WrittenText);

/** What the later says wins, value by value; null takes back what the earlier said. */
export const overlay = (earlier: WireObject, later: WireObject): WireObject => {
  const merged: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(earlier), ...Object.keys(later)])) {
    const [before, after] = [earlier[name], later[name]];
    if (!Object.hasOwn(later, name)) set(merged, name, before);
    else if (!isUnset(after))
      // Below nothing, too: a null there takes nothing back, and is no value.
      set(merged, name, isTree(after) ? overlay(isTree(before) ? before : {}, after) : after);
  }
  return merged;
};

const isUnset = (value: unknown): boolean =>
  value === null || (value instanceof WrittenText && value.text === 'null');
