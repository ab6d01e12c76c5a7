import assert from 'node:assert/strict';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { describe, it } from 'node:test';
import { aCa, type TestCa } from '../../../testing/ca-builder.ts';
import { aKeyModule } from '../../../testing/key-module.ts';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import { signatureAlgorithmOf } from '../../core/leaf/signature-algorithm.ts';
import { readCaCertificate } from './read-ca-certificate.ts';
import { localKey, nativeCrypto, providedKey, type ToSign } from './signing-key.ts';

const read = (ca: TestCa): CaCertificate => {
  const certificate = readCaCertificate(ca.der);
  assert.ok(certificate.ok);
  return certificate.value;
};

const toSign = (ca: TestCa, bytes = Uint8Array.of(1, 2, 3)): ToSign => {
  const { key, spki } = read(ca);
  assert.ok(typeof key === 'string');
  return { bytes, algorithm: signatureAlgorithmOf(key), spki };
};

describe('the key of an issuer', () => {
  for (const key of ['P-256', 'P-384', 'RSA'] as const) {
    it(`signs with ${key} where the key is held elsewhere, and is known by its certificate`, async () => {
      const [ca, other] = [await aCa({ key }), await aCa({ key })];
      const module = aKeyModule(ca.keys.privateKey);
      const signing = providedKey(module.key);
      // In one of two signatures r or s begins with a zero in DER, in one of 128 with a zero of its own, which is cut.
      for (let at = 0; at < 300; at += 1) await signing.sign(toSign(ca, Uint8Array.of(at & 255, at >> 8)));
      assert.equal(module.signatures, 300);
      assert.deepEqual([await signing.isKeyOf(read(ca)), await signing.isKeyOf(read(other))], [true, false]);
    });

    it(`signs with ${key} at once where it is in this process, and is known by its certificate`, async () => {
      const [ca, other] = [await aCa({ key }), await aCa({ key })];
      const signing = localKey(createPrivateKey(ca.keyPem));
      assert.ok(signing.sign(toSign(ca)) instanceof Uint8Array);
      assert.deepEqual([signing.isKeyOf(read(ca)), signing.isKeyOf(read(other))], [true, false]);
    });
  }

  it('is the same to a provider that is Node itself', async () => {
    const ca = await aCa();
    const signing = providedKey({ crypto: nativeCrypto, privateKey: ca.keys.privateKey });
    assert.equal(await signing.isKeyOf(read(ca)), true);
  });

  it('gives nothing that does not verify', async () => {
    const ca = await aCa();
    const module = aKeyModule(ca.keys.privateKey);
    const other = await aCa();
    const answers: readonly (() => Promise<ArrayBuffer>)[] = [
      async () => new ArrayBuffer(64),
      async () => new ArrayBuffer(0),
      () =>
        webcrypto.subtle.sign(
          { name: 'ECDSA', hash: 'SHA-256' },
          other.keys.privateKey,
          Uint8Array.of(1, 2, 3),
        ),
    ];
    for (const answer of answers) {
      module.answer(answer);
      await assert.rejects(async () => providedKey(module.key).sign(toSign(ca)), {
        code: 'unavailable',
        message: 'what the issuer signed does not verify: try again',
      });
    }
  });

  it('can be out of reach, which is told to callers without what the module says', async () => {
    const ca = await aCa();
    const module = aKeyModule(ca.keys.privateKey);
    module.answer(() => Promise.reject(new Error('CKR_DEVICE_REMOVED')));
    await assert.rejects(async () => providedKey(module.key).sign(toSign(ca)), {
      code: 'unavailable',
      message: 'the issuer cannot sign now: try again',
    });
  });
});
