import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import { aDesk } from '../../testing/a-certify-desk.ts';
import { aCsr, aKey, aName, anExtension, dnsSan, spkiOf, subjectAltName } from '../../testing/csr-builder.ts';
import type { CertifyRequest } from './certify.ts';

describe('Certify', () => {
  const longName = `${'a'.repeat(64)}.demo.serviceaccount.identity.gatehouse.cluster.local`;
  const other = 'admin.demo.serviceaccount.identity.gatehouse.cluster.local';
  const foreign = aName.replace('cluster.local', 'other.local');
  const bad: readonly [string, 'invalid-argument' | 'failed-precondition', Partial<CertifyRequest>][] = [
    ['without identity', 'invalid-argument', { identity: '' }],
    ['without token', 'invalid-argument', { token: new Uint8Array() }],
    ['without CSR', 'invalid-argument', { certificateSigningRequest: new Uint8Array() }],
    ['with a token of 16 KiB and a byte', 'invalid-argument', { token: new Uint8Array(16 * 1024 + 1) }],
    [
      'with a CSR of 8 KiB and a byte',
      'invalid-argument',
      { certificateSigningRequest: new Uint8Array(8 * 1024 + 1) },
    ],
    ['with garbage for a CSR', 'invalid-argument', { certificateSigningRequest: Buffer.from('fake-data') }],
    ['for a name with a label of 64 bytes', 'invalid-argument', { identity: longName }],
    ['for a name in upper case', 'invalid-argument', { identity: aName.toUpperCase() }],
    ['for a wildcard', 'invalid-argument', { identity: `*.${aName}` }],
    ['for a name with a NUL', 'invalid-argument', { identity: `${aName}\0` }],
    ['with a token that is not believed', 'failed-precondition', { token: Buffer.from('other') }],
    [
      'for another identity',
      'failed-precondition',
      { identity: other, certificateSigningRequest: makeCsr(aKey, other) },
    ],
    [
      'for another mesh',
      'failed-precondition',
      { identity: foreign, certificateSigningRequest: makeCsr(aKey, foreign) },
    ],
    [
      'whose CSR is for another identity',
      'failed-precondition',
      { certificateSigningRequest: makeCsr(aKey, other) },
    ],
    [
      'whose CSR is for two identities',
      'failed-precondition',
      {
        certificateSigningRequest: aCsr({ extensions: [anExtension(subjectAltName, dnsSan(aName, other))] }),
      },
    ],
    [
      'whose CSR was signed by another key',
      'failed-precondition',
      {
        certificateSigningRequest: aCsr({
          spki: spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
        }),
      },
    ],
  ];

  it('knows 16 bad requests', () => assert.equal(bad.length, 16));
  for (const [title, code, request] of bad) {
    it(`refuses one ${title}`, async () => {
      const { certify: ask, recorded } = await aDesk();
      await assert.rejects(ask(request), { name: 'GatehouseError', code });
      assert.deepEqual(recorded, []);
    });
  }
});
