import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  contextTag,
  derBitString,
  derNull,
  derOid,
  derSequence,
  derSet,
  derTag,
  derText,
  joinBytes,
  writeDer,
} from '@gatehouse/core/der/der';
import fc from 'fast-check';
import {
  aCsr,
  aKey,
  aName,
  anAttribute,
  anExtension,
  commonName,
  dnsSan,
  ecdsaWith,
  extensionRequest,
  spkiOf,
  subjectAltName,
} from '../../../testing/csr-builder.ts';
import { isSignedByItsKey } from '../../ports/issuer/x509.ts';
import { readCsr } from './csr.ts';

/** Made by Go's x509.CreateCertificateRequest as Linkerd's helper calls it: common name and SAN. */
const fromGo =
  'MIIBXDCCAQMCAQAwRzFFMEMGA1UEAxM8ZGVmYXVsdC5kZW1vLnNlcnZpY2VhY2NvdW50LmlkZW50aXR5LmdhdGVob3VzZS5jbHVzdGVyLmxvY2FsMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUynxJ9cSRnORBEv4W9QeTCQLu57/nrG3w+5tIN8RgOzVq2kOBwY2x9ddp03Wxp/oXQxnKWy/2QlgbFxpvI2iQKBaMFgGCSqGSIb3DQEJDjFLMEkwRwYDVR0RBEAwPoI8ZGVmYXVsdC5kZW1vLnNlcnZpY2VhY2NvdW50LmlkZW50aXR5LmdhdGVob3VzZS5jbHVzdGVyLmxvY2FsMAoGCCqGSM49BAMCA0cAMEQCIDA2kvTkTiGxDTlX8MpA/5RKwh0Hxo71AqbJX+VO6WBRAiB8p8e7/s07gublCLictmJjvv2+9+h479OxrUPHmkXZnQ==';
/** The same without a subject. */
const fromGoNameless =
  'MIIBFTCBvAIBADAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUynxJ9cSRnORBEv4W9QeTCQLu57/nrG3w+5tIN8RgOzVq2kOBwY2x9ddp03Wxp/oXQxnKWy/2QlgbFxpvI2iQKBaMFgGCSqGSIb3DQEJDjFLMEkwRwYDVR0RBEAwPoI8ZGVmYXVsdC5kZW1vLnNlcnZpY2VhY2NvdW50LmlkZW50aXR5LmdhdGVob3VzZS5jbHVzdGVyLmxvY2FsMAoGCCqGSM49BAMCA0gAMEUCIHzGHhKjs8HJo8jAJrXBqKpbaZc1lgBxvNzBNJIO/aZFAiEA6z6Wk+qcQf7l9jNKMeStseNs53EC2ABb6aJkaDsnEu0=';
/** openssl req -new -addext subjectAltName=DNS:…, with -subj /CN=… */
const fromOpenssl =
  'MIIBXjCCAQMCAQAwRzFFMEMGA1UEAww8ZGVmYXVsdC5kZW1vLnNlcnZpY2VhY2NvdW50LmlkZW50aXR5LmdhdGVob3VzZS5jbHVzdGVyLmxvY2FsMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETsIelAXQDE4MDMR7h+nCGRtoQRg9FayJTW538nFO/6GYIFFTjgCXYOf6Sl/3vfH2Fl9iAkkwVfx+Pluz/2NhpqBaMFgGCSqGSIb3DQEJDjFLMEkwRwYDVR0RBEAwPoI8ZGVmYXVsdC5kZW1vLnNlcnZpY2VhY2NvdW50LmlkZW50aXR5LmdhdGVob3VzZS5jbHVzdGVyLmxvY2FsMAoGCCqGSM49BAMCA0kAMEYCIQC7Bd97d52IhVk1+/pBnOJsBoy9L9xP9Lyi/WHIwXWj7AIhAMhVGXMBynJ6dHs9jHxhYRmcnXkOASDRGKAIY0a1sYvo';
/** … and with -subj / */
const fromOpensslNameless =
  'MIIBFTCBvAIBADAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ0b4tG8FESpLQu6YMxqCEQxsMP4cp8PeMleZMdrUiNcor59eGKik/Pwg7oez8f8ugs6qBGOEsFNXtqHSv4vAlKBaMFgGCSqGSIb3DQEJDjFLMEkwRwYDVR0RBEAwPoI8ZGVmYXVsdC5kZW1vLnNlcnZpY2VhY2NvdW50LmlkZW50aXR5LmdhdGVob3VzZS5jbHVzdGVyLmxvY2FsMAoGCCqGSM49BAMCA0gAMEUCIQCCaV3AuHLlKGSkB63G6P1plDCLnisyPS6rSXRWY7PEkAIgegrcDPLzH9HEEA9/NJ1ZpOFSemZPr1AncKbOOgB3X1E=';

const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const sanWith = (value: Uint8Array): Uint8Array => aCsr({ extensions: [anExtension(subjectAltName, value)] });

const changedSpki = (change: (spki: Uint8Array) => void): Uint8Array => {
  const spki = Uint8Array.from(spkiOf(aKey));
  change(spki);
  return aCsr({ spki });
};

/** Writes the whole CSR again with its outermost length in another form. */
const withLength = (...length: number[]): Uint8Array => {
  const csr = aCsr();
  return joinBytes([Uint8Array.of(0x30, ...length), csr.subarray(4)]);
};

describe('a certificate signing request', () => {
  const good: Record<string, Uint8Array> = {
    'of Go with common name and SAN': Uint8Array.fromBase64(fromGo),
    'of Go with SAN alone': Uint8Array.fromBase64(fromGoNameless),
    'of OpenSSL with common name and SAN': Uint8Array.fromBase64(fromOpenssl),
    'of OpenSSL with SAN alone': Uint8Array.fromBase64(fromOpensslNameless),
    'with a critical SAN': aCsr({ extensions: [anExtension(subjectAltName, dnsSan(aName), true)] }),
    'with a common name as PrintableString': aCsr({ subject: commonName(aName, derTag.printableString) }),
  };
  for (const [title, der] of Object.entries(good)) {
    it(`${title} is read, and proves its key`, () => {
      const reading = readCsr(der, aName);
      assert.equal(reading.kind, 'read');
      if (reading.kind === 'read') assert.equal(isSignedByItsKey(reading.csr), true);
    });
  }

  const bad: readonly [string, 'malformed' | 'refused', Uint8Array][] = [
    ['that is empty', 'malformed', new Uint8Array()],
    ['that is text', 'malformed', new TextEncoder().encode('fake-data')],
    ['in PEM', 'malformed', new TextEncoder().encode('-----BEGIN CERTIFICATE REQUEST-----\nMIIB')],
    ['with a byte after its end', 'malformed', joinBytes([aCsr(), Uint8Array.of(0)])],
    ['of indefinite length', 'malformed', joinBytes([withLength(0x80), Uint8Array.of(0, 0)])],
    ['with a padded length', 'malformed', withLength(0x83, 0x00, ...aCsr().subarray(2, 4))],
    ['that is cut off', 'malformed', aCsr().subarray(0, 200)],
    ['without signature', 'malformed', derSequence(derSequence(), derSequence())],
    ['with a fourth field', 'malformed', derSequence(...fieldsOf(aCsr()), derNull())],
    ['with a field after its attributes', 'malformed', aCsr({ more: [derNull()] })],
    ['whose version is 2', 'refused', aCsr({ version: 1 })],
    ['whose version is not a number', 'malformed', replaceVersion(derText(derTag.utf8String, '1'))],
    ['whose version is padded', 'malformed', replaceVersion(Uint8Array.of(2, 2, 0, 0))],
    ['with a P-384 key', 'refused', aCsr({ key: p384 })],
    ['with an RSA key', 'refused', aCsr({ key: rsa })],
    ['with a point beside the curve', 'refused', changedSpki((spki) => flip(spki, 90))],
    ['with a compressed point', 'refused', aCsr({ spki: compressed(spkiOf(aKey)) })],
    ['with a coordinate above the field', 'refused', changedSpki((spki) => spki.fill(0xff, 27, 59))],
    ['whose curve has another name', 'refused', changedSpki((spki) => flip(spki, 21))],
    [
      'signed with SHA-1',
      'refused',
      aCsr({ algorithm: derSequence(derOid(ecdsaWith.sha1)), digest: 'sha1' }),
    ],
    [
      'signed with SHA-384',
      'refused',
      aCsr({ algorithm: derSequence(derOid(ecdsaWith.sha384)), digest: 'sha384' }),
    ],
    [
      'whose algorithm has parameters',
      'refused',
      aCsr({ algorithm: derSequence(derOid(ecdsaWith.sha256), derNull()) }),
    ],
    ['for another common name', 'refused', aCsr({ subject: commonName('admin.demo') })],
    ['with a common name as bytes', 'refused', aCsr({ subject: commonName(aName, derTag.octetString) })],
    ['with an organisation', 'refused', aCsr({ subject: derSequence(relative('2.5.4.10', 'mesh')) })],
    [
      'with two common names',
      'refused',
      aCsr({ subject: derSequence(relative('2.5.4.3', aName), relative('2.5.4.3', aName)) }),
    ],
    ['whose subject is not a Name', 'malformed', aCsr({ subject: derSequence(derNull()) })],
    ['without attributes', 'refused', aCsr({ attributes: [] })],
    ['without extensions', 'refused', aCsr({ extensions: [] })],
    [
      'with a challenge password',
      'refused',
      aCsr({ attributes: [anAttribute('1.2.840.113549.1.9.7', derText(derTag.utf8String, 'secret'))] }),
    ],
    [
      'with two extension requests',
      'refused',
      aCsr({
        attributes: [anAttribute(extensionRequest, sanList()), anAttribute(extensionRequest, sanList())],
      }),
    ],
    [
      'with two lists of extensions',
      'refused',
      aCsr({ attributes: [anAttribute(extensionRequest, sanList(), sanList())] }),
    ],
    [
      'with a second SAN extension',
      'refused',
      aCsr({
        extensions: [
          anExtension(subjectAltName, dnsSan(aName)),
          anExtension(subjectAltName, dnsSan('admin.demo')),
        ],
      }),
    ],
    ['that wants to be a CA', 'refused', aCsr({ extensions: [anExtension('2.5.29.19', derSequence())] })],
    [
      'with an extension whose `critical` is written out as FALSE',
      'malformed',
      aCsr({ extensions: [anExtension(subjectAltName, dnsSan(aName), false)] }),
    ],
    [
      'whose extension has no value',
      'malformed',
      aCsr({ extensions: [derSequence(derOid(subjectAltName))] }),
    ],
    ['for two names', 'refused', sanWith(dnsSan(aName, 'admin.demo'))],
    ['for no name', 'refused', sanWith(dnsSan())],
    ['for another name', 'refused', sanWith(dnsSan('admin.demo'))],
    ['for a wildcard', 'refused', sanWith(dnsSan('*.demo.serviceaccount.identity.gatehouse.cluster.local'))],
    ['for its name in upper case', 'refused', sanWith(dnsSan(aName.toUpperCase()))],
    ['for its name and a NUL', 'refused', sanWith(dnsSan(`${aName}\0.evil.example`))],
    ['for its name with a dot at the end', 'refused', sanWith(dnsSan(`${aName}.`))],
    ['for a name with letters beyond ASCII', 'refused', sanWith(dnsSan(aName.replace('e', 'е')))],
    ['for a URI', 'refused', sanWith(derSequence(derText(contextTag(6, 'primitive'), aName)))],
    ['for an e-mail address', 'refused', sanWith(derSequence(derText(contextTag(1, 'primitive'), aName)))],
    [
      'for an IP address',
      'refused',
      sanWith(derSequence(writeDer(contextTag(7, 'primitive'), Uint8Array.of(10, 0, 0, 1)))),
    ],
    ['whose SAN is not a list', 'malformed', sanWith(derText(contextTag(2, 'primitive'), aName))],
    ['whose SAN has bytes after it', 'malformed', sanWith(joinBytes([dnsSan(aName), Uint8Array.of(0)]))],
    ['whose SAN has a padded length', 'malformed', sanWith(paddedSan())],
  ];

  it('has 50 known ways to be bad', () => assert.equal(bad.length, 50));
  for (const [title, kind, der] of bad) {
    it(`${title} is ${kind}`, () => {
      const reading = readCsr(der, aName);
      assert.equal(reading.kind, kind, JSON.stringify(reading));
    });
  }

  it('whatever bytes are changed in it, verifies for nothing but what was signed', () => {
    const originals = [aCsr(), Uint8Array.fromBase64(fromGo)];
    const mutation = fc.record({
      original: fc.constantFrom(...originals),
      at: fc.nat(400),
      change: fc.oneof(
        fc.record({ kind: fc.constant('flip' as const), mask: fc.integer({ min: 1, max: 255 }) }),
        fc.record({
          kind: fc.constant('insert' as const),
          bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
        }),
        fc.record({ kind: fc.constant('delete' as const), count: fc.integer({ min: 1, max: 40 }) }),
      ),
    });
    fc.assert(
      fc.property(mutation, ({ original, at: wanted, change }) => {
        const at = wanted % original.length;
        const mutated = mutate(original, at, change);
        const reading = readCsr(mutated, aName);
        if (reading.kind !== 'read' || !isSignedByItsKey(reading.csr)) return;
        assert.deepEqual(mutated, original);
      }),
      { numRuns: 2_000 },
    );
  });
});

type Change =
  | { readonly kind: 'flip'; readonly mask: number }
  | { readonly kind: 'insert'; readonly bytes: Uint8Array }
  | { readonly kind: 'delete'; readonly count: number };

const mutate = (original: Uint8Array, at: number, change: Change): Uint8Array => {
  switch (change.kind) {
    case 'flip':
      return original.with(at, (original[at] ?? 0) ^ change.mask);
    case 'insert':
      return joinBytes([original.subarray(0, at), change.bytes, original.subarray(at)]);
    case 'delete':
      return joinBytes([original.subarray(0, at), original.subarray(at + change.count)]);
  }
};

function fieldsOf(csr: Uint8Array): [Uint8Array] {
  return [csr.subarray(4)];
}

function replaceVersion(version: Uint8Array): Uint8Array {
  const info = derSequence(version, derSequence(), spkiOf(aKey), writeDer(contextTag(0, 'constructed')));
  return derSequence(info, derSequence(derOid(ecdsaWith.sha256)), derBitString(new Uint8Array(8)));
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

function compressed(spki: Uint8Array): Uint8Array {
  const even = ((spki[90] ?? 0) & 1) === 0;
  return derSequence(
    derSequence(derOid('1.2.840.10045.2.1'), derOid('1.2.840.10045.3.1.7')),
    derBitString(joinBytes([Uint8Array.of(even ? 2 : 3), spki.subarray(27, 59)])),
  );
}

function relative(oid: string, text: string): Uint8Array {
  return derSet(derSequence(derOid(oid), derText(derTag.utf8String, text)));
}

function sanList(): Uint8Array {
  return derSequence(anExtension(subjectAltName, dnsSan(aName)));
}

function paddedSan(): Uint8Array {
  const san = dnsSan(aName);
  return joinBytes([Uint8Array.of(0x30, 0x81), san.subarray(1)]);
}
