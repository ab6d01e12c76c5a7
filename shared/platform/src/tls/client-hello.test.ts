import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capturedHello } from '@gatehouse/testing/hostile/captured-hello';
import fc from 'fast-check';
import { ClientHelloReader, type HelloProgress } from './client-hello.ts';

const hello = await capturedHello();

/** The same message in records of at most so many octets. */
const inRecords = (bytes: Buffer, atMost: number): Buffer => {
  const message = bytes.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += atMost) {
    const part = message.subarray(at, at + atMost);
    records.push(Buffer.of(0x16, 3, 1, part.length >> 8, part.length & 0xff), part);
  }
  return Buffer.concat(records);
};

/** What is said after each piece. */
const read = (pieces: readonly Uint8Array[], maxBytes = 16_384): HelloProgress[] => {
  const reader = new ClientHelloReader(maxBytes);
  return pieces.map((piece) => reader.push(piece));
};

test('a ClientHello is whole with its last octet and not before', async () => {
  for (const bytes of [hello, await capturedHello({ minVersion: 'TLSv1.3' }), inRecords(hello, 100)]) {
    assert.deepEqual(read([bytes.subarray(0, -1), bytes.subarray(-1)]), ['more', 'whole']);
    assert.deepEqual(read([Buffer.concat([bytes, Buffer.from('more of it')])]), ['whole']);
  }
});

test('it does not matter how a ClientHello is cut into records and segments', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 }),
      (recordLength, lengths) => {
        const bytes = inRecords(hello, recordLength);
        const pieces: Buffer[] = [];
        let at = 0;
        for (const length of lengths) {
          pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        const before = read([...pieces, bytes.subarray(at, -1)]);
        if (at < bytes.length) assert.equal(before.at(-1), 'more');
        assert.equal(read([...pieces, bytes.subarray(at)]).at(-1), 'whole');
      },
    ),
  );
});

test('bytes that open no handshake are known as early as can be', () => {
  const cases: [string, string][] = [
    ['an HTTP/1 request', 'G'],
    ['the preface of HTTP/2', 'P'],
    ['an alert', '\x15'],
    ['application data', '\x17'],
    ['a ClientHello of SSL 2', '\x80'],
    ['a record of no TLS version', '\x16\x02'],
    ['a record that holds nothing', '\x16\x03\x01\0\0'],
    ['a record that is too long', '\x16\x03\x01\x40\x01'],
    ['another message than a ClientHello', '\x16\x03\x01\0\x05\x02'],
    ['an empty ClientHello', '\x16\x03\x01\0\x05\x01\0\0\0'],
  ];
  assert.equal(cases.length, 10);
  for (const [title, text] of cases) {
    const bytes = Buffer.from(text, 'latin1');
    const expected = bytes.length === 1 ? ['no-tls'] : ['more', 'no-tls'];
    assert.deepEqual(
      read(bytes.length === 1 ? [bytes] : [bytes.subarray(0, -1), bytes.subarray(-1)]),
      expected,
      title,
    );
  }
});

test('a ClientHello that announces or takes more than allowed is not waited for', () => {
  assert.deepEqual(read([Buffer.from('\x16\x03\x01\x40\0\x01\0\x40\x01', 'latin1')]), ['too-long']);
  const cut = inRecords(hello, 1);
  assert.deepEqual(read([cut], hello.length), ['too-long'], 'records count, not only what is in them');
  assert.deepEqual(read([cut.subarray(0, hello.length), cut.subarray(hello.length)], hello.length), [
    'more',
    'too-long',
  ]);
});

test('what comes after the end changes nothing', () => {
  assert.deepEqual(read([hello, Buffer.from('G')]), ['whole', 'whole']);
  assert.deepEqual(read([Buffer.from('G'), hello]), ['no-tls', 'no-tls']);
});
