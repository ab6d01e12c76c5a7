import { type KeyObject, sign } from 'node:crypto';
import {
  derInteger,
  derNull,
  derOid,
  derSequence,
  derTag,
  joinBytes,
  writeDer,
} from '@gatehouse/core/der/der';
import { numbersOf, orderOfP256, writeNumbers, writeRequest } from '../request-parts.ts';

import type { Rows } from './rows.ts';

const algorithmOf = (oid: string, ...parameters: readonly Uint8Array[]): Uint8Array =>
  derSequence(derOid(oid), ...parameters);

const hashed =
  (digest: string) =>
  (info: Uint8Array, key: KeyObject): Uint8Array =>
    sign(digest, info, key);

export const oddAlgorithms: Rows = {
  ...Object.fromEntries(
    (
      [
        ['ecdsa-with-SHA1', '1.2.840.10045.4.1', 'sha1'],
        ['ecdsa-with-SHA224', '1.2.840.10045.4.3.1', 'sha224'],
        ['ecdsa-with-SHA384', '1.2.840.10045.4.3.3', 'sha384'],
        ['ecdsa-with-SHA512', '1.2.840.10045.4.3.4', 'sha512'],
        ['ecdsa-with-SHA3-256', '2.16.840.1.101.3.4.3.10', 'sha3-256'],
        ['ecdsa-with-Recommended', '1.2.840.10045.4.2', 'sha256'],
        ['ecdsa-with-Specified', '1.2.840.10045.4.3', 'sha256'],
        ['sha256WithRSAEncryption', '1.2.840.113549.1.1.11', 'sha256'],
        ['md5WithRSAEncryption', '1.2.840.113549.1.1.4', 'md5'],
        ['RSASSA-PSS', '1.2.840.113549.1.1.10', 'sha256'],
        ['Ed25519', '1.3.101.112', 'sha256'],
        ['dsa-with-SHA256', '2.16.840.1.101.3.4.3.2', 'sha256'],
      ] as const
    ).map(([title, oid, digest]) => [
      `a signature by ${title}`,
      ['failed-precondition', () => ({ algorithm: algorithmOf(oid), seal: hashed(digest) })] as const,
    ]),
  ),
  'an algorithm with NULL': [
    'failed-precondition',
    () => ({ algorithm: algorithmOf('1.2.840.10045.4.3.2', derNull()) }),
  ],
  'an algorithm with parameters': [
    'failed-precondition',
    () => ({ algorithm: algorithmOf('1.2.840.10045.4.3.2', derSequence()) }),
  ],
  'a signature over SHA-1 that says SHA-256': ['failed-precondition', () => ({ seal: hashed('sha1') })],
  'a signature over SHA-384 that says SHA-256': ['failed-precondition', () => ({ seal: hashed('sha384') })],
};

type Numbers = { readonly r: bigint; readonly s: bigint };
const n = orderOfP256;
const renumbered =
  (change: (numbers: Numbers) => Numbers) =>
  (info: Uint8Array, key: KeyObject): Uint8Array =>
    writeNumbers(change(numbersOf(info, key)));
const rewritten =
  (write: (numbers: Numbers) => Uint8Array) =>
  (info: Uint8Array, key: KeyObject): Uint8Array =>
    write(numbersOf(info, key));

const paddedInteger = (value: bigint): Uint8Array => {
  const good = derInteger(value);
  return writeDer(derTag.integer, Uint8Array.of(0, 0), good.subarray(2));
};

export const oddSignatures: Rows = {
  // From (r, s) follows (r, n − s) without the key, which is as good a signature of the same key over the same bytes: no proof is weakened.
  'a signature with the other s': [
    'certified',
    () => ({ seal: renumbered(({ r, s }) => ({ r, s: n - s })) }),
  ],
  ...Object.fromEntries(
    Object.entries({
      'r = 0': ({ s }: Numbers) => ({ r: 0n, s }),
      's = 0': ({ r }: Numbers) => ({ r, s: 0n }),
      'r = s = 0': () => ({ r: 0n, s: 0n }),
      'r = s = 1': () => ({ r: 1n, s: 1n }),
      'r = n': ({ s }: Numbers) => ({ r: n, s }),
      's = n': ({ r }: Numbers) => ({ r, s: n }),
      'r + n': ({ r, s }: Numbers) => ({ r: r + n, s }),
      's + n': ({ r, s }: Numbers) => ({ r, s: s + n }),
      'r − n': ({ r, s }: Numbers) => ({ r: r - n, s }),
      's − n': ({ r, s }: Numbers) => ({ r, s: s - n }),
      '−r': ({ r, s }: Numbers) => ({ r: -r, s }),
      '−s': ({ r, s }: Numbers) => ({ r, s: -s }),
      'n − r': ({ r, s }: Numbers) => ({ r: n - r, s }),
      'r and s swapped': ({ r, s }: Numbers) => ({ r: s, s: r }),
      'r of 4,000 bits': ({ r, s }: Numbers) => ({ r: r + (n << 3_744n), s }),
    }).map(([title, change]) => [
      `a signature with ${title}`,
      ['failed-precondition', () => ({ seal: renumbered(change) })] as const,
    ]),
  ),
  'a signature with a padded r': [
    'failed-precondition',
    () => ({ seal: rewritten(({ r, s }) => derSequence(paddedInteger(r), derInteger(s))) }),
  ],
  'a signature with a third number': [
    'failed-precondition',
    () => ({ seal: rewritten(({ r, s }) => derSequence(derInteger(r), derInteger(s), derInteger(1))) }),
  ],
  'a signature without s': [
    'failed-precondition',
    () => ({ seal: rewritten(({ r }) => derSequence(derInteger(r))) }),
  ],
  'a signature as a SET': [
    'failed-precondition',
    () => ({ seal: rewritten(({ r, s }) => writeDer(derTag.set, derInteger(r), derInteger(s))) }),
  ],
  'a signature with a byte after it': [
    'failed-precondition',
    () => ({ seal: rewritten((numbers) => joinBytes([writeNumbers(numbers), Uint8Array.of(0)])) }),
  ],
  'a signature of indefinite length': [
    'failed-precondition',
    () => ({
      seal: rewritten((numbers) =>
        joinBytes([Uint8Array.of(0x30, 0x80), writeNumbers(numbers).subarray(2), Uint8Array.of(0, 0)]),
      ),
    }),
  ],
  'a signature whose length is padded': [
    'failed-precondition',
    () => ({
      seal: rewritten((numbers) => joinBytes([Uint8Array.of(0x30, 0x81), writeNumbers(numbers).subarray(1)])),
    }),
  ],
  'r and s side by side': [
    'failed-precondition',
    () => ({ seal: (info, key) => sign('sha256', info, { key, dsaEncoding: 'ieee-p1363' }) }),
  ],
  'no signature': ['failed-precondition', () => ({ seal: () => new Uint8Array() })],
  'the signature of another workload': [
    'failed-precondition',
    ({ other }) => ({ seal: (info) => sign('sha256', info, other.key) }),
  ],
  'a signature over another request': [
    'failed-precondition',
    ({ other }) => ({
      seal: (_, key) => sign('sha256', writeRequest({ identity: other.identity, key }), key),
    }),
  ],
};
