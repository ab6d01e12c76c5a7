import { quoted } from '../foreign-text.ts';
import { isJsonObject } from '../json-object.ts';
import { type Parsed, type Problem, parsed, problem } from '../problem.ts';
import type { ValueForm } from './value-forms.ts';

/** A variable for the proxy beyond those that we write, as a container's `env` has it. */
export interface ExtraVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Readonly<Record<string, unknown>>;
}

const fix = 'write a list such as [{"name": "LINKERD2_PROXY_CORES", "value": "2"}]';

const readVariable = (item: unknown, field: string, problems: Problem[]): ExtraVariable | undefined => {
  const refuse = (at: string, found: string, how: string): undefined => {
    problems.push({ field: at, found, fix: how });
    return undefined;
  };
  if (!isJsonObject(item)) return refuse(field, 'is not an object', fix);
  const { name, value, valueFrom, ...others } = item;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    return refuse(`${field}.${unknown}`, 'unknown field', 'known here: name, value, valueFrom');
  if (typeof name !== 'string' || !/^[A-Za-z_][\w.-]{0,252}$/.test(name))
    return refuse(`${field}.name`, 'is not a valid name of a variable', 'letters, digits and underscores');
  if (valueFrom !== undefined) {
    if (!isJsonObject(valueFrom))
      return refuse(`${field}.valueFrom`, 'is not an object', 'as in a container, such as {"fieldRef": …}');
    if (value !== undefined) return refuse(field, 'has both value and valueFrom', 'write one of them');
    return { name, valueFrom };
  }
  if (value !== undefined && typeof value !== 'string')
    return refuse(`${field}.value`, 'is not text', 'put it in quotes');
  return { name, value: value ?? '' };
};

const readList = (written: unknown, field: string): Parsed<readonly ExtraVariable[]> => {
  if (!Array.isArray(written)) return problem(field, 'is not a list', fix);
  const problems: Problem[] = [];
  const variables = written.flatMap((item, at) => readVariable(item, `${field}[${at}]`, problems) ?? []);
  return problems.length > 0 ? { ok: false, problems } : parsed(variables);
};

const readText = (text: string, field: string): Parsed<readonly ExtraVariable[]> => {
  if (text === '') return parsed([]);
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return problem(field, `${quoted(text)} is not valid JSON`, fix);
  }
  return readList(written, field);
};

export const extraEnvironment: ValueForm<readonly ExtraVariable[]> = {
  form: 'list of variables with name and value, or valueFrom',
  readText,
  readJson: readList,
};

/** A later variable of the same name replaces the earlier one in its place, as in Linkerd's three layers. */
export const mergeVariables = <V extends { readonly name: string }>(
  first: readonly V[],
  then: readonly V[],
): readonly V[] => {
  const merged = new Map(first.map((variable) => [variable.name, variable]));
  for (const variable of then) merged.set(variable.name, variable);
  return [...merged.values()];
};
