import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { derNull, derOid, joinBytes } from '@gatehouse/core/der/der';
import { spkiOf } from '../../csr-builder.ts';
import { ecSpki, pointOf } from '../request-parts.ts';

import type { Rows } from './rows.ts';

const ecPublicKey = derOid('1.2.840.10045.2.1');
const p256 = derOid('1.2.840.10045.3.1.7');
const coordinates = (key: KeyObject): readonly [Uint8Array, Uint8Array] => [
  pointOf(key).subarray(1, 33),
  pointOf(key).subarray(33),
];
const withPoint = (...parts: readonly Uint8Array[]) => ({
  spki: ecSpki([ecPublicKey, p256], joinBytes(parts)),
});
const fieldPrime = Uint8Array.fromHex('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff');

const strangeKeys: Readonly<Record<string, KeyObject>> = {
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
  brainpoolP256r1: generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).privateKey,
  'P-256 with explicit parameters': generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    paramEncoding: 'explicit',
  }).privateKey,
  Ed25519: generateKeyPairSync('ed25519').privateKey,
  Ed448: generateKeyPairSync('ed448').privateKey,
  'RSA 2048': generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};

export const oddKeys: Rows = {
  ...Object.fromEntries(
    Object.entries(strangeKeys).map(([title, key]) => [
      `a key of ${title}`,
      ['failed-precondition', () => ({ key })] as const,
    ]),
  ),
  'a compressed point': [
    'failed-precondition',
    ({ key }) => {
      const [x, y] = coordinates(key);
      return withPoint(Uint8Array.of(2 + ((y.at(-1) ?? 0) & 1)), x);
    },
  ],
  'a point in hybrid form': [
    'failed-precondition',
    ({ key }) => {
      const [x, y] = coordinates(key);
      return withPoint(Uint8Array.of(6 + ((y.at(-1) ?? 0) & 1)), x, y);
    },
  ],
  'the point at infinity': ['failed-precondition', () => withPoint(Uint8Array.of(0))],
  'the point 0, 0': ['failed-precondition', () => withPoint(Uint8Array.of(4), new Uint8Array(64))],
  'a point beside the curve': [
    'failed-precondition',
    ({ key }) => {
      const [x, y] = coordinates(key);
      return withPoint(Uint8Array.of(4), x, y.with(31, (y[31] ?? 0) ^ 1));
    },
  ],
  'a coordinate above the field': [
    'failed-precondition',
    ({ key }) => withPoint(Uint8Array.of(4), fieldPrime, coordinates(key)[1]),
  ],
  'its coordinates swapped': [
    'failed-precondition',
    ({ key }) => {
      const [x, y] = coordinates(key);
      return withPoint(Uint8Array.of(4), y, x);
    },
  ],
  'a point cut off': ['failed-precondition', ({ key }) => withPoint(pointOf(key).subarray(0, 64))],
  'a point that goes on': ['failed-precondition', ({ key }) => withPoint(pointOf(key), Uint8Array.of(0))],
  'a key without its curve': [
    'failed-precondition',
    ({ key }) => ({ spki: ecSpki([ecPublicKey], pointOf(key)) }),
  ],
  'a key whose curve is NULL': [
    'failed-precondition',
    ({ key }) => ({ spki: ecSpki([ecPublicKey, derNull()], pointOf(key)) }),
  ],
  'a key under the name of P-384': [
    'failed-precondition',
    ({ key }) => ({ spki: ecSpki([ecPublicKey, derOid('1.3.132.0.34')], pointOf(key)) }),
  ],
  'a key under the name of secp256k1': [
    'failed-precondition',
    ({ key }) => ({ spki: ecSpki([ecPublicKey, derOid('1.3.132.0.10')], pointOf(key)) }),
  ],
  'a key for ECDH only': [
    'failed-precondition',
    ({ key }) => ({ spki: ecSpki([derOid('1.3.132.1.12'), p256], pointOf(key)) }),
  ],
  'the key of another workload': ['failed-precondition', ({ other }) => ({ spki: spkiOf(other.key) })],
};
