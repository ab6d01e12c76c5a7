import type { HttpMatch, PathMatch, ValueMatch } from '@gatehouse/core/inbound/inbound-server';
import { describe, type Fields } from './fields.ts';
import { readHeaderName, readMethod } from './http-token.ts';
import { checkProxyRegex } from './proxy-regex.ts';

/** One that the proxy's engine does not take would close the whole port (design §6.4). */
const readRegex = (fields: Fields, pattern: string): string | undefined =>
  fields.take(checkProxyRegex(pattern, fields.pathOf('value')));

const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;

const readPath = (path: Fields): PathMatch | undefined => {
  const type = path.oneOf('type', pathTypes) ?? 'PathPrefix';
  const value = path.text('value') ?? '/';
  path.close();
  if (type === 'RegularExpression') {
    const pattern = readRegex(path, value);
    return pattern === undefined ? undefined : { kind: 'regex', value: pattern };
  }
  return value.startsWith('/')
    ? { kind: type === 'Exact' ? 'exact' : 'prefix', value }
    : path.refuse('value', `${describe(value)} is not absolute`, 'begin with `/`');
};

/** A header or query parameter; the whole value is compared. */
export const readValueMatch = (
  match: Fields,
  readName: (fields: Fields) => string | undefined,
): ValueMatch | undefined => {
  const type = match.oneOf('type', ['Exact', 'RegularExpression']) ?? 'Exact';
  const name = match.need('name', 'name it') ? readName(match) : undefined;
  const text = match.need('value', 'the value to match') ? match.text('value') : undefined;
  match.close();
  const value = text === undefined || type === 'Exact' ? text : readRegex(match, text);
  return name === undefined || value === undefined
    ? undefined
    : { name, kind: type === 'Exact' ? 'exact' : 'regex', value };
};

const readQueryName = (match: Fields): string | undefined => {
  const name = match.text('name');
  return name === '' ? match.refuse('name', 'an empty text', 'name a query parameter') : name;
};

/** One alternative of a rule; what it leaves out matches every request. */
export const readMatch = (match: Fields): HttpMatch => {
  const pathFields = match.fields('path');
  const path = pathFields === undefined ? undefined : readPath(pathFields);
  const method = match.has('method') ? readMethod(match, 'method', match.raw('method')) : undefined;
  const headers =
    match.eachFields('headers', (each) => readValueMatch(each, (fields) => readHeaderName(fields, 'name'))) ??
    [];
  const queryParams = match.eachFields('queryParams', (each) => readValueMatch(each, readQueryName)) ?? [];
  match.close();
  return {
    ...(path === undefined ? {} : { path }),
    ...(method === undefined ? {} : { method }),
    headers,
    queryParams,
  };
};
