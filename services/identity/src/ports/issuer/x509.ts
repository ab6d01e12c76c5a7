import { createPublicKey, hash, verify, X509Certificate } from 'node:crypto';
import type { RecordedLeaf } from '../../certify/recorded-leaf.ts';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import type { Csr } from '../../core/leaf/csr.ts';
import { sealCertificate } from '../../core/leaf/leaf-template.ts';
import { publicPoint } from '../../core/leaf/p256.ts';
import type { SigningKey } from './signing-key.ts';

/** Proof of possession: whether who made the request holds the key in it. */
export const isSignedByItsKey = ({ info, spki, signature }: Csr): boolean => {
  const key = createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' });
  return verify('sha256', info, key, signature);
};

/** The only place where leaves are signed. */
export const signLeaf = (
  leaf: RecordedLeaf,
  { key, spki }: { readonly key: SigningKey; readonly spki: Uint8Array },
): Uint8Array | Promise<Uint8Array> => {
  const { tbs, algorithm } = leaf.spend();
  const seal = (signature: Uint8Array): Uint8Array => sealCertificate(tbs, algorithm, signature);
  const signature = key.sign({ bytes: tbs, algorithm, spki });
  return signature instanceof Promise ? signature.then(seal) : seal(signature);
};

/** RFC 7093 §2 (1), for a P-256 SubjectPublicKeyInfo: no SHA-1 where nothing needs it. */
export const keyIdOf = (spki: Uint8Array): Uint8Array => sha256(publicPoint(spki)).subarray(0, 20);

export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

export const isSignedBy = (child: CaCertificate, parent: CaCertificate): boolean =>
  new X509Certificate(child.der).verify(new X509Certificate(parent.der).publicKey);
