import type { HttpMatch, PathMatch, ValueMatch } from '../../core/inbound-server.ts';
import type { Parsed } from '../../core/problem.ts';
import { describe, type Fields } from './fields.ts';
import { readHeaderName, readMethod } from './http-token.ts';

/** Whether the proxy's engine takes the pattern; one it does not take would close the whole port (design §6.4). */
export type CheckRegex = (pattern: string) => Parsed<string>;

/** Checks a pattern and says of it, at its field, what the engine says. */
const readRegex = (fields: Fields, pattern: string, check: CheckRegex): string | undefined => {
  const checked = check(pattern);
  if (checked.ok) return checked.value;
  for (const { found, fix } of checked.problems) fields.refuse('value', found, fix);
  return undefined;
};

const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;

const readPath = (path: Fields, check: CheckRegex): PathMatch | undefined => {
  const type = path.oneOf('type', pathTypes) ?? 'PathPrefix';
  const value = path.text('value') ?? '/';
  path.close();
  if (type === 'RegularExpression') {
    const pattern = readRegex(path, value, check);
    return pattern === undefined ? undefined : { kind: 'regex', value: pattern };
  }
  return value.startsWith('/')
    ? { kind: type === 'Exact' ? 'exact' : 'prefix', value }
    : path.refuse('value', `${describe(value)} is not absolute`, 'begin with `/`');
};

const readValueMatch = (
  match: Fields,
  check: CheckRegex,
  readName: (fields: Fields) => string | undefined,
): ValueMatch | undefined => {
  const type = match.oneOf('type', ['Exact', 'RegularExpression']) ?? 'Exact';
  const name = match.need('name', 'name it') ? readName(match) : undefined;
  const text = match.need('value', 'the value to match') ? match.text('value') : undefined;
  match.close();
  const value = text === undefined || type === 'Exact' ? text : readRegex(match, text, check);
  return name === undefined || value === undefined
    ? undefined
    : { name, kind: type === 'Exact' ? 'exact' : 'regex', value };
};

const readQueryName = (match: Fields): string | undefined => {
  const name = match.text('name');
  return name === '' ? match.refuse('name', 'an empty text', 'name a query parameter') : name;
};

/** One alternative of a rule; what it leaves out matches every request. */
export const readMatch = (match: Fields, check: CheckRegex): HttpMatch => {
  const pathFields = match.fields('path');
  const path = pathFields === undefined ? undefined : readPath(pathFields, check);
  const method = match.has('method') ? readMethod(match, 'method', match.raw('method')) : undefined;
  const headers =
    match.eachFields('headers', (each) =>
      readValueMatch(each, check, (fields) => readHeaderName(fields, 'name')),
    ) ?? [];
  const queryParams =
    match.eachFields('queryParams', (each) => readValueMatch(each, check, readQueryName)) ?? [];
  match.close();
  return {
    ...(path === undefined ? {} : { path }),
    ...(method === undefined ? {} : { method }),
    headers,
    queryParams,
  };
};
