import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { readFirstBytes } from './client-hello.ts';

/** The first flight of OpenSSL's own TLS 1.3 client. */
const helloFor = (servername: string | undefined): Promise<Buffer> =>
  new Promise((resolve) => {
    const wire = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        done();
        resolve(chunk);
      },
    });
    const socket = connect({ socket: wire, minVersion: 'TLSv1.3', ...(servername ? { servername } : {}) });
    socket.on('error', () => {});
  });

test('the SNI of a real hello is read, lower-cased, and not before the whole hello is there', async () => {
  const hello = await helloFor('Default.Demo.example');
  for (let length = 0; length < hello.length; length += 1) {
    assert.equal(readFirstBytes(hello.subarray(0, length)).kind, 'more', `${length} bytes`);
  }
  const found = { kind: 'tls', serverName: 'default.demo.example' };
  assert.deepEqual(readFirstBytes(hello), found);
  assert.deepEqual(readFirstBytes(Buffer.concat([hello, Buffer.from('early data')])), found);
});

test('a hello without SNI names nobody', async () => {
  assert.deepEqual(readFirstBytes(await helloFor(undefined)), { kind: 'tls', serverName: undefined });
});

test('what is not a hello is passed through: eight kinds', () => {
  const cases: [string, Buffer, unknown][] = [
    ['nothing', Buffer.alloc(0), { kind: 'more' }],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), { kind: 'not-tls' }],
    ['a handshake byte alone', Buffer.from([0x16]), { kind: 'more' }],
    ['no TLS version', Buffer.from([0x16, 0x02, 0x00, 0, 4]), { kind: 'not-tls' }],
    ['a record above 8 KiB', Buffer.from([0x16, 3, 1, 0x20, 1]), { kind: 'tls', serverName: undefined }],
    ['an empty record', Buffer.from([0x16, 3, 1, 0, 0]), { kind: 'tls', serverName: undefined }],
    ['another message', Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0]), { kind: 'tls', serverName: undefined }],
    [
      'lengths that lie',
      Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 9, 1]),
      { kind: 'tls', serverName: undefined },
    ],
  ];
  assert.equal(cases.length, 8);
  for (const [name, bytes, expected] of cases) assert.deepEqual(readFirstBytes(bytes), expected, name);
});

test('no bytes make the reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readFirstBytes(bytes);
      readFirstBytes(Buffer.concat([Buffer.from([0x16, 3, 1, 0, Math.min(bytes.length, 255), 1]), bytes]));
    }),
  );
});
