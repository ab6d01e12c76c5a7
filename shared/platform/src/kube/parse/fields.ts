import { isJsonObject, type JsonObject } from '@gatehouse/core/json-object';
import { nearestWord } from '@gatehouse/core/nearest-word';
import { highestPort } from '@gatehouse/core/port-set';
import type { Parsed, Problem } from '@gatehouse/core/problem';
import { Tally } from './budget.ts';

/** An object as a manifest or the API server spells it; nothing in it has been checked. */
export type WireObject = JsonObject;

export const isWireObject: (value: unknown) => value is WireObject = isJsonObject;

/** What a person would say stands there. */
export const describe = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') {
    return value === '' ? 'an empty text' : `\`${value.length > 80 ? `${value.slice(0, 77)}…` : value}\``;
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  return `the ${typeof value} ${String(value)}`;
};

/** Whether a null is a field left out, as in core kinds, or one that is wrong, as in policy kinds. */
export type Nulls = 'absent' | 'refused';

/** How an object is read, the same for all its parts. */
export interface Reading {
  readonly nulls?: Nulls;
  readonly tally?: Tally;
}

/** How a person says that something is of the wrong type. */
const isNot = (value: unknown, type: string): string =>
  value === null ? 'nothing is written' : `${describe(value)} is not ${type}`;

/**
 * The fields of one wire object, read by name. What is there but wrong becomes a problem with its path and reads as
 * undefined; the reader goes on, so that all problems are told at once. `close` reports the fields nobody asked for.
 */
export class Fields {
  readonly path: string;
  readonly problems: Problem[];
  /** What the whole object has been found to hold. */
  readonly tally: Tally;
  readonly #values: WireObject;
  readonly #nulls: Nulls;
  readonly #known = new Set<string>();

  constructor(
    values: WireObject,
    path: string,
    problems: Problem[],
    { nulls = 'absent', tally = new Tally() }: Reading = {},
  ) {
    this.path = path;
    this.problems = problems;
    this.tally = tally;
    this.#values = values;
    this.#nulls = nulls;
  }

  get #reading(): Reading {
    return { nulls: this.#nulls, tally: this.tally };
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** Whether the field is there; a refused null is there, and wrong. */
  has(name: string): boolean {
    this.#known.add(name);
    if (!Object.hasOwn(this.#values, name) || this.#values[name] === undefined) return false;
    return this.#values[name] !== null || this.#nulls === 'refused';
  }

  raw(name: string): unknown {
    return this.has(name) ? this.#values[name] : undefined;
  }

  /** The names that are written, those of nulls too. */
  names(): readonly string[] {
    return Object.keys(this.#values);
  }

  refuse(name: string, found: string, fix: string): undefined {
    this.problems.push({ field: this.pathOf(name), found, fix });
    return undefined;
  }

  /** Reports a problem with the object as a whole. */
  refuseSelf(found: string, fix: string): undefined {
    this.problems.push({ field: this.path, found, fix });
    return undefined;
  }

  /** Reports a field that must be there and is not; answers whether it is. */
  need(name: string, fix: string): boolean {
    if (this.has(name)) return true;
    this.refuse(name, 'missing', fix);
    return false;
  }

  text(name: string, fix = 'write a text'): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.refuse(name, isNot(value, 'text'), typeof value === 'object' ? fix : 'put it in quotes');
  }

  flag(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.refuse(
      name,
      `${describe(value)} is neither true nor false`,
      'use true or false, without quotes',
    );
  }

  whole(name: string, min: number, max: number): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.refuse(
      name,
      isNot(value, `a number from ${min} to ${max}`),
      'a whole number, without quotes',
    );
  }

  port(name: string): number | undefined {
    return this.whole(name, 1, highestPort);
  }

  oneOf<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const choice = choices.find((each) => each === value);
    if (choice !== undefined) return choice;
    const near = typeof value === 'string' ? nearestWord(value, choices) : undefined;
    const fix = near === undefined ? `use ${choices.join(', ')}` : `did you mean \`${near}\`?`;
    return this.refuse(name, `${describe(value)} is not known here`, fix);
  }

  fields(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : this.open(value, name);
  }

  /** The object behind a field; one without fields where there is none, for readers to whom absent and empty are alike. */
  part(name: string): Fields {
    return this.fields(name) ?? new Fields({}, this.pathOf(name), this.problems, this.#reading);
  }

  /** Reads every item of a list; items that are wrong are left out after their problem was noted. */
  each<T>(name: string, read: (value: unknown, item: string) => T | undefined): readonly T[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.refuse(name, isNot(value, 'a list'), 'write a list');
    const items: T[] = [];
    for (const [index, each] of value.entries()) {
      const item = read(each, `${name}[${index}]`);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  /** Whether an empty list is written. */
  isEmptyList(name: string): boolean {
    const value = this.raw(name);
    return Array.isArray(value) && value.length === 0;
  }

  eachFields<T>(name: string, read: (item: Fields) => T | undefined): readonly T[] | undefined {
    return this.each(name, (value, item) => {
      const fields = this.open(value, item);
      return fields === undefined ? undefined : read(fields);
    });
  }

  texts(name: string, fix = 'a list of texts'): readonly string[] | undefined {
    return this.each(name, (value, item) =>
      typeof value === 'string' ? value : this.refuse(item, isNot(value, 'text'), fix),
    );
  }

  /** The same fields, their problems noted apart. */
  alone(): Fields {
    return new Fields(this.#values, this.path, [], this.#reading);
  }

  /** Adds the problems of a part that has its own parser. */
  take<T>(parsed: Parsed<T>): T | undefined {
    if (parsed.ok) return parsed.value;
    this.problems.push(...parsed.problems);
    return undefined;
  }

  /** Refuses every field that no reader has asked for: a misspelt condition must not count as "no condition". */
  close(): void {
    const known = [...this.#known];
    for (const name of Object.keys(this.#values)) {
      if (this.#known.has(name)) continue;
      const near = nearestWord(
        name,
        known.filter((each) => !this.has(each)),
      );
      this.problems.push({
        field: this.pathOf(name),
        found: 'unknown field',
        fix: near === undefined ? `remove it; known here: ${known.join(', ')}` : `did you mean \`${near}\`?`,
      });
    }
  }

  /** The fields of an object that stands inside this one under `name`. */
  open(value: unknown, name: string): Fields | undefined {
    if (isWireObject(value)) return new Fields(value, this.pathOf(name), this.problems, this.#reading);
    return this.refuse(name, isNot(value, 'an object'), 'write an object');
  }
}

/** What a reader makes of the fields if it finds no problem with them; leaves no trace either way. */
export const readable = <T>(fields: Fields, read: (alone: Fields) => T | undefined): T | undefined => {
  const alone = fields.alone();
  const value = read(alone);
  return alone.problems.length > 0 ? undefined : value;
};

/** Whether no field but these is written: any other may be one of them, misspelt. */
export const hasOnly = (fields: Fields, names: readonly string[]): boolean =>
  fields.names().every((name) => names.includes(name));

/** Runs a reader by itself and answers its value only if it found no problem. */
export const readWhole = <T>(
  value: unknown,
  path: string,
  { read, ...reading }: Reading & { readonly read: (fields: Fields) => T | undefined },
): Parsed<T> => {
  const problems: Problem[] = [];
  if (!isWireObject(value)) {
    const found = value === undefined || value === null ? 'missing' : isNot(value, 'an object');
    return { ok: false, problems: [{ field: path, found, fix: 'write an object' }] };
  }
  const result = read(new Fields(value, path, problems, reading));
  if (problems.length > 0) return { ok: false, problems };
  if (result === undefined) throw new TypeError(`the reader of ${path} answered nothing and said no problem`);
  return { ok: true, value: result };
};
