import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultUid } from './default-uid.ts';

test('a default uid never changes, since tokens of other processes hold it', () => {
  assert.equal(defaultUid('Pod', 'demo', 'frontend-0'), '71c80a85-1035-5d12-a3cd-fe2208cfe29c');
});

test('a default uid is a version 5 UUID of the RFC 9562 variant', () => {
  assert.match(
    defaultUid('Pod', 'demo', 'x'),
    /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test('kind, namespace, name and life each give another uid', () => {
  const uids = [
    defaultUid('Pod', 'demo', 'a'),
    defaultUid('ServiceAccount', 'demo', 'a'),
    defaultUid('Pod', 'other', 'a'),
    defaultUid('Pod', 'demo', 'b'),
    defaultUid('Pod', 'demo', 'a', 'second'),
  ];
  assert.equal(new Set(uids).size, uids.length);
});
