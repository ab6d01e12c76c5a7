import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameMessage, MessageReader } from './message-frames.ts';

test('messages come out whole wherever the bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }),
      fc.array(fc.nat(20), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(frameMessage));
        const reader = new MessageReader(50);
        const read: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = 1 + (cuts[turn % cuts.length] ?? 0);
          read.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(
          read.map((message) => [...message]),
          messages.map((message) => [...message]),
        );
      },
    ),
  );
});

test('a message above the limit is refused by its length alone', () => {
  assert.throws(() => new MessageReader(10).push(Buffer.from([0, 0, 0, 0, 11])), {
    code: 'resource-exhausted',
  });
});

test('a compressed message is refused, since none was asked for', () => {
  assert.throws(() => new MessageReader(10).push(Buffer.from([1, 0, 0, 0, 1, 0])), { code: 'unimplemented' });
});
