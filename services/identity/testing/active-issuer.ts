import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import type { ActiveIssuer } from '../src/certify/certify.ts';
import { makeLeafTemplate } from '../src/core/leaf/leaf-template.ts';
import { signatureAlgorithmOf } from '../src/core/leaf/signature-algorithm.ts';
import { readCaCertificate } from '../src/ports/issuer/read-ca-certificate.ts';
import { localKey } from '../src/ports/issuer/signing-key.ts';
import { signLeaf } from '../src/ports/issuer/x509.ts';
import type { TestCa } from './ca-builder.ts';

/** A CA as the service signs with it, without the files and the check that it comes through otherwise. */
export const activeIssuer = (ca: TestCa, intermediates = [ca.der]): ActiveIssuer => {
  const read = readCaCertificate(ca.der);
  assert.ok(read.ok);
  const { subject: name, keyId, key, spki, notBefore: chainBegins, notAfter: chainEnds } = read.value;
  assert.ok(typeof key === 'string');
  const signing = { key: localKey(createPrivateKey(ca.keyPem)), spki };
  return {
    template: makeLeafTemplate({ name, keyId, chainBegins, chainEnds, algorithm: signatureAlgorithmOf(key) }),
    intermediates,
    permits: () => true,
    sign: (leaf) => signLeaf(leaf, signing),
  };
};
