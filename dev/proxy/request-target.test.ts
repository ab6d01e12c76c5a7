import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asText, readPath, readTarget } from './request-target.ts';

test('request targets are split and never normalised, but for a fragment: nineteen forms', () => {
  const cases: [string, ReturnType<typeof readTarget>][] = [
    ['/', { authority: undefined, path: '/' }],
    ['/api/../admin?x=1', { authority: undefined, path: '/api/../admin?x=1' }],
    ['//admin', { authority: undefined, path: '//admin' }],
    ['*', { authority: undefined, path: '*' }],
    ['http://backend.demo:8080', { authority: 'backend.demo:8080', path: '/' }],
    ['HTTP://backend.demo:8080/a/../b', { authority: 'backend.demo:8080', path: '/a/../b' }],
    ['http://backend.demo?x=1', { authority: 'backend.demo', path: '/?x=1' }],
    ['/api#/../admin', { authority: undefined, path: '/api' }],
    ['/api?x=1#?y=2', { authority: undefined, path: '/api?x=1' }],
    ['/#', { authority: undefined, path: '/' }],
    ['http://backend.demo#/admin', { authority: 'backend.demo', path: '/' }],
    ['http://backend.demo/a#b?c', { authority: 'backend.demo', path: '/a' }],
    ['#/admin', undefined],
    ['*#x', undefined],
    ['/a<b', undefined],
    ['/a?b"c', undefined],
    ['http://user@backend.demo/', undefined],
    ['ftp://backend.demo/', undefined],
    ['backend.demo:8080', undefined],
  ];
  assert.equal(cases.length, 19);
  for (const [text, expected] of cases) assert.deepEqual(readTarget(text), expected, text);
});

test('a path has the bytes that the proxy takes, and a query others', () => {
  const refused = (before: string): string =>
    Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code))
      .filter((char) => readPath(`${before}${char}b`) === undefined)
      .join('');
  const controls = Array.from({ length: 0x21 }, (_, code) => String.fromCharCode(code)).join('');
  assert.deepEqual([refused('/a'), refused('/a?')], [`${controls}<>\``, `${controls}"<>`]);
});

test('bytes beyond ASCII are read as UTF-8, and must be that', () => {
  const path = Buffer.from('/café').toString('latin1');
  assert.equal(asText(readPath(path) ?? ''), '/café');
  assert.equal(readPath('/caf\xe9'), undefined);
});
