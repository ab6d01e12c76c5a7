import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCompactJws } from './compact-jws.ts';

const text = (parts: readonly unknown[]): Uint8Array =>
  new TextEncoder().encode(
    parts
      .map((part) =>
        typeof part === 'string' ? part : Buffer.from(JSON.stringify(part)).toString('base64url'),
      )
      .join('.'),
  );

const raw = (json: string | Uint8Array): string => Buffer.from(json).toString('base64url');

describe('a compact JWS', () => {
  it('is taken apart without being believed', () => {
    const token = text([{ alg: 'ES256', kid: 'a' }, { iss: 'me' }, 'AQID']);
    assert.deepEqual(readCompactJws(token), {
      ok: true,
      value: {
        algorithm: 'ES256',
        keyId: 'a',
        signed: token.subarray(0, -5),
        signature: Buffer.of(1, 2, 3),
        payload: { iss: 'me' },
      },
    });
  });

  it('may come without a signature: it is then refused for its algorithm', () => {
    const read = readCompactJws(text([{ alg: 'none' }, {}, '']));
    assert.equal(read.ok && read.value.signature.length, 0);
  });

  it('may hold colons, quotes and braces in its texts, and the same name in different places', () => {
    const payload = {
      sub: 'system:serviceaccount:demo:web',
      quoted: 'a "sub": "b" \\" { "sub": 1 }',
      'a:b': [{ name: 'x:y' }, { name: '\\' }, ':'],
      pod: { name: 'web', uid: 'u' },
      serviceaccount: { name: 'web', uid: 'v' },
      ['__proto__']: { sub: 'polluted' },
    };
    const read = readCompactJws(text([{ alg: 'ES256' }, raw(JSON.stringify(payload)), 'AQID']));
    assert.deepEqual(read.ok && read.value.payload, JSON.parse(JSON.stringify(payload)));
  });

  const bad: Readonly<Record<string, Uint8Array>> = {
    'is empty': text([]),
    'has one part': text(['abc']),
    'has two parts': text([{ alg: 'ES256' }, {}]),
    'has four parts': text([{ alg: 'ES256' }, {}, 'AQID', 'AQID']),
    'has five parts, as an encrypted one': text([{ alg: 'ES256' }, 'AA', 'AA', 'AA', 'AA']),
    'ends in a line break': text([{ alg: 'ES256' }, {}, 'AQID\n']),
    'has white space inside': text([{ alg: 'ES256' }, {}, 'AQ ID']),
    'is padded': text([{ alg: 'ES256' }, {}, 'AQI=']),
    'is base64, not base64url': text([{ alg: 'ES256' }, {}, 'A+/D']),
    'has a signature of an impossible length': text([{ alg: 'ES256' }, {}, 'AQIDA']),
    'has no header': text(['', {}, 'AQID']),
    'has a header that is not JSON': text(['AQID', {}, 'AQID']),
    'has a header that is a list': text([[], {}, 'AQID']),
    'names no algorithm': text([{ kid: 'a' }, {}, 'AQID']),
    'names its key by a number': text([{ alg: 'ES256', kid: 7 }, {}, 'AQID']),
    'has critical extensions': text([{ alg: 'ES256', crit: ['b64'] }, {}, 'AQID']),
    'has a payload that is not JSON': text([{ alg: 'ES256' }, 'AQID', 'AQID']),
    'has no payload': text([{ alg: 'ES256' }, '', 'AQID']),
    'is not UTF-8': Uint8Array.of(0xff, 0xfe, 0x2e, 0x2e),
    'has a header that is not UTF-8': text(['_w', {}, 'AQID']),
    'has a name that is not UTF-8': text([
      { alg: 'ES256' },
      raw(Buffer.from('{"sub":"\xff"}', 'latin1')),
      'AQID',
    ]),
    'has a byte order mark': text([raw('\ufeff{"alg":"ES256"}'), {}, 'AQID']),
    'names its algorithm twice': text([raw('{"alg":"none","alg":"ES256"}'), {}, 'AQID']),
    'names its key twice': text([raw('{"alg":"ES256","kid":"a","kid":"b"}'), {}, 'AQID']),
    'names its key twice alike': text([raw('{"alg":"ES256","kid":"a","kid":"a"}'), {}, 'AQID']),
    'names a key twice in two spellings': text([
      raw('{"alg":"ES256","kid":"a","k\\u0069d":"b"}'),
      {},
      'AQID',
    ]),
    'has a claim twice': text([{ alg: 'ES256' }, raw('{"sub":"a","sub":"b"}'), 'AQID']),
    'has a claim twice, deep inside': text([
      { alg: 'ES256' },
      raw('{"kubernetes.io":{"pod":{"uid":"a","name":"b","uid":"c"}}}'),
      'AQID',
    ]),
    'has a claim twice, inside a list': text([{ alg: 'ES256' }, raw('{"a":[{"b":1,"b":2}]}'), 'AQID']),
    'has a number of no value': text([{ alg: 'ES256' }, raw('{"exp":NaN}'), 'AQID']),
  };

  it('has 30 known ways to be none', () => assert.equal(Object.keys(bad).length, 30));
  for (const [title, token] of Object.entries(bad)) {
    it(`is none if it ${title}`, () => assert.equal(readCompactJws(token).ok, false));
  }
});
