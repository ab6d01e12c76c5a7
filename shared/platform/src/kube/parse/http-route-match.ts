import type { HttpMatch, PathMatch, ValueMatch } from '@gatehouse/core/inbound/inbound-server';
import { bytesOf, fits, lengthOf, spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';
import { readHeaderName, readHeaderText, readMethod } from './http-token.ts';
import { checkProxyRegex } from './proxy-regex.ts';
import { proxyRegexSize } from './proxy-regex-size.ts';

/** One that the proxy's engine does not take would close the whole port (design §6.4). */
export const readRegex = (fields: Fields, name: string, pattern: string): string | undefined => {
  if (!spend(fields, 'patterns')) return undefined;
  if (!fits(fields, 'patternBytes', { name, size: bytesOf(pattern) })) return undefined;
  if (!fits(fields, 'patternBytes', { name, size: proxyRegexSize(pattern) })) return undefined;
  return fields.take(checkProxyRegex(pattern, fields.pathOf(name)));
};

const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;

const readPath = (path: Fields): PathMatch | undefined => {
  const type = path.oneOf('type', pathTypes) ?? 'PathPrefix';
  const value = path.text('value') ?? '/';
  path.close();
  if (type === 'RegularExpression') {
    const pattern = readRegex(path, 'value', value);
    return pattern === undefined ? undefined : { kind: 'regex', value: pattern };
  }
  if (!fits(path, 'patternBytes', { name: 'value', size: bytesOf(value) })) return undefined;
  return value.startsWith('/')
    ? { kind: type === 'Exact' ? 'exact' : 'prefix', value }
    : path.refuse('value', `${describe(value)} is not absolute`, 'begin with `/`');
};

/** A header or query parameter; the whole value is compared. */
const readValueMatch = (
  match: Fields,
  list: 'headers' | 'queryParams',
  readName: (fields: Fields) => string | undefined,
): ValueMatch | undefined => {
  const type = match.oneOf('type', ['Exact', 'RegularExpression']) ?? 'Exact';
  const name = match.need('name', 'name it') ? readName(match) : undefined;
  const value = match.need('value', 'the value to match') ? readMatchValue(match, list, type) : undefined;
  match.close();
  return name === undefined || value === undefined
    ? undefined
    : { name, kind: type === 'Exact' ? 'exact' : 'regex', value };
};

const readMatchValue = (
  match: Fields,
  list: 'headers' | 'queryParams',
  type: 'Exact' | 'RegularExpression',
): string | undefined => {
  if (type === 'Exact') return list === 'headers' ? readHeaderText(match, 'value') : match.text('value');
  const pattern = match.text('value');
  return pattern === undefined ? undefined : readRegex(match, 'value', pattern);
};

const readQueryName = (match: Fields): string | undefined => {
  const name = match.text('name');
  return name === '' ? match.refuse('name', 'an empty text', 'name a query parameter') : name;
};

/** The headers or query parameters of a match; nothing is read of too many. */
export const readValueMatches = (
  match: Fields,
  list: 'headers' | 'queryParams',
  readName: (fields: Fields) => string | undefined,
): readonly ValueMatch[] => {
  if (!fits(match, 'headers', { name: list, size: lengthOf(match, list) })) return [];
  return match.eachFields(list, (each) => readValueMatch(each, list, readName)) ?? [];
};

export const readHeaders = (match: Fields): readonly ValueMatch[] =>
  readValueMatches(match, 'headers', (fields) => readHeaderName(fields, 'name'));

/** One alternative of a rule; what it leaves out matches every request. */
export const readMatch = (match: Fields): HttpMatch => {
  if (!spend(match, 'matches')) return { headers: [], queryParams: [] };
  const pathFields = match.fields('path');
  const path = pathFields === undefined ? undefined : readPath(pathFields);
  const method = match.has('method') ? readMethod(match, 'method', match.raw('method')) : undefined;
  const headers = readHeaders(match);
  const queryParams = readValueMatches(match, 'queryParams', readQueryName);
  match.close();
  return {
    ...(path === undefined ? {} : { path }),
    ...(method === undefined ? {} : { method }),
    headers,
    queryParams,
  };
};
