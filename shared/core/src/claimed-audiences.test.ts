import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimedAudiences } from './claimed-audiences.ts';

const token = (payload: string): string => `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;

test('the audiences that a token says it is for, as one text or a list; none where it says nothing readable', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    [token('{"aud":"a"}'), ['a']],
    [token('{"aud":["a","b"]}'), ['a', 'b']],
    [token('{"aud":["a",1,null]}'), ['a']],
    [token('{"aud":{"a":1}}'), []],
    [token('{}'), []],
    [token('null'), []],
    [token('"aud"'), []],
    [token('{"aud":"a"'), []],
    [`${token('{"aud":"a"}')}.more`, []],
    ['opaque', []],
    ['', []],
    ['..', []],
  ];
  assert.equal(table.length, 12);
  for (const [text, audiences] of table) assert.deepEqual(claimedAudiences(text), audiences, text);
});
