import assert from 'node:assert/strict';
import test from 'node:test';
import { type ContextToken, parseContextToken } from './context-token.ts';

const cases: readonly (readonly [string, Partial<ContextToken>])[] = [
  [
    '{"ns":"demo","nodeName":"node-1","pod":"frontend-0"}\n',
    { namespace: 'demo', nodeName: 'node-1', pod: 'frontend-0' },
  ],
  ['{"ns":"demo"}', { namespace: 'demo' }],
  ['{"nodeName":7,"ns":null}', {}],
  ['ns:demo', { namespace: 'demo' }],
  ['', {}],
  ['{', {}],
  ['[]', {}],
  ['null', {}],
  ['frontend-0', {}],
];

test('a context token is read as far as it can be, and is never an error', () => {
  assert.equal(cases.length, 9);
  for (const [text, token] of cases) {
    assert.deepEqual(parseContextToken(text), { namespace: '', nodeName: '', pod: '', ...token }, text);
  }
});
