import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { aTokenSigner, signToken } from '../../../testing/token-builder.ts';
import { findKey, isTokenAlgorithm, readKeySet } from './key-set.ts';

const es256 = aTokenSigner('ES256');
const es384 = aTokenSigner('ES384');
const rs256 = aTokenSigner('RS256');

const weak = {
  ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
  kid: 'weak',
};
const strange = {
  ...generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
  kid: 'strange',
};
const edwards = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'edwards' };

/** The ids that are taken from a set, or why it is none. */
const idsOf = (...keys: readonly unknown[]): readonly string[] | string => {
  const read = readKeySet({ keys });
  return read.ok ? [...read.value.keys.keys()] : (read.problems[0]?.found ?? '');
};

const { alg: _, ...withoutAlg } = es256.jwk;

describe('a key set', () => {
  const table: readonly (readonly [string, Record<string, unknown>, 'taken' | RegExp])[] = [
    ['as the API server shows it', es256.jwk, 'taken'],
    ['of P-384', es384.jwk, 'taken'],
    ['of P-521', aTokenSigner('ES512', 'it').jwk, 'taken'],
    ['of RSA', rs256.jwk, 'taken'],
    ['that does not name its algorithm', withoutAlg, 'taken'],
    ['that is for verifying', { ...es256.jwk, key_ops: ['verify'] }, 'taken'],
    ['that carries a private half', { ...es256.jwk, d: 'AAAA' }, 'taken'],
    ['without id', { ...es256.jwk, kid: undefined }, /a key without id/],
    ['whose id is a number', { ...es256.jwk, kid: 7 }, /a key without id/],
    ['for encryption', { ...es256.jwk, use: 'enc' }, /not for signatures/],
    ['for wrapping', { ...es256.jwk, key_ops: ['wrapKey'] }, /not for signatures/],
    ['whose operations are not a list', { ...es256.jwk, key_ops: 'verify' }, /not for signatures/],
    ['of P-256 that says ES384', { ...es256.jwk, alg: 'ES384' }, /no algorithm of ours/],
    ['of P-256 that says RS256', { ...es256.jwk, alg: 'RS256' }, /no algorithm of ours/],
    ['of P-256 that says P-384', { ...es256.jwk, crv: 'P-384', alg: undefined }, /make no key/],
    ['of P-256 that says RSA', { ...es256.jwk, kty: 'RSA' }, /no algorithm of ours/],
    ['of RSA that says ES256', { ...rs256.jwk, alg: 'ES256' }, /no algorithm of ours/],
    ['of RSA with a curve', { ...rs256.jwk, crv: 'P-256' }, /no algorithm of ours/],
    ['of RSA for PS256', { ...rs256.jwk, alg: 'PS256' }, /no algorithm of ours/],
    ['of RSA with 1024 bits', weak, /fewer than 2048 bits/],
    ['of a curve that we do not know', strange, /no algorithm of ours/],
    ['of Edwards', edwards, /no algorithm of ours/],
    [
      'that is a shared secret',
      { kty: 'oct', k: 'c2VjcmV0', kid: 'oct', alg: 'HS256' },
      /no algorithm of ours/,
    ],
    ['with a point that is not on its curve', { ...es256.jwk, y: es256.jwk.x }, /make no key/],
    ['with a coordinate too few', { ...es256.jwk, y: undefined }, /make no key/],
  ];

  it('knows 25 kinds of keys', () => assert.equal(table.length, 25));
  for (const [title, jwk, expected] of table) {
    it(`${expected === 'taken' ? 'takes' : 'passes over'} one ${title}`, () => {
      const read = readKeySet({ keys: [jwk, aTokenSigner('ES256', 'other').jwk] });
      assert.ok(read.ok);
      const { keys, passedOver } = read.value;
      if (expected === 'taken') assert.deepEqual([keys.size, passedOver], [2, []]);
      else {
        assert.deepEqual([...keys.keys()], ['other']);
        assert.match(passedOver.join(), expected);
      }
    });
  }

  it('names no key by an id that several have', () => {
    const twin = aTokenSigner('ES256', 'twin').jwk;
    const other = aTokenSigner('ES256', 'twin').jwk;
    for (const keys of [
      [twin, other],
      [twin, other, twin],
      [twin, twin, other],
    ]) {
      assert.deepEqual(idsOf(...keys, es256.jwk), [es256.kid]);
    }
    assert.deepEqual(idsOf(twin, twin, es256.jwk), ['twin', es256.kid], 'the same one twice is one');
  });

  it('is none without a key that we can use', () => {
    assert.match(`${idsOf()}`, /it holds no key/);
    assert.match(`${idsOf(weak, edwards, null, 'text', 7, [])}`, /it holds no key/);
    for (const set of [undefined, null, 'text', [], {}, { keys: {} }, { keys: null }]) {
      assert.equal(readKeySet(set).ok, false, JSON.stringify(set));
    }
  });

  it('finds a key by its id, and without one only where there is no choice', () => {
    const read = readKeySet({ keys: [es256.jwk, es384.jwk] });
    const alone = readKeySet({ keys: [es256.jwk] });
    assert.ok(read.ok && alone.ok);
    assert.equal(findKey(read.value.keys, es384.kid)?.algorithm, 'ES384');
    assert.equal(findKey(read.value.keys, 'other'), undefined);
    assert.equal(findKey(read.value.keys, ''), undefined);
    assert.equal(findKey(read.value.keys, undefined), undefined);
    assert.equal(findKey(alone.value.keys, undefined)?.id, es256.kid);
  });

  it('verifies with each of its keys what that key has signed, and nothing else', () => {
    const signers = [es256, es384, rs256, aTokenSigner('ES512')];
    const read = readKeySet({ keys: signers.map(({ jwk }) => jwk) });
    assert.ok(read.ok);
    for (const signer of signers) {
      const [head = '', body = '', seal = ''] = Buffer.from(signToken(signer, {})).toString().split('.');
      const signed = Buffer.from(`${head}.${body}`);
      const signature = Buffer.from(seal, 'base64url');
      for (const key of read.value.keys.values()) {
        assert.equal(key.verify(signed, signature), key.id === signer.kid, `${key.id} of ${signer.kid}`);
      }
    }
  });

  it('has keys for four algorithms and no other word', () => {
    for (const name of ['RS256', 'ES256', 'ES384', 'ES512']) assert.equal(isTokenAlgorithm(name), true);
    for (const name of ['none', 'HS256', 'PS256', 'RS384', 'EdDSA', 'es256', '', 'toString', '__proto__']) {
      assert.equal(isTokenAlgorithm(name), false, name);
    }
  });
});
