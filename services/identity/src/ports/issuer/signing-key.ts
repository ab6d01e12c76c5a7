import {
  createPublicKey,
  type KeyObject,
  sign as signAtOnce,
  verify,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { derInteger, derSequence } from '@gatehouse/core/der/der';
import { GatehouseError } from '@gatehouse/core/error';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import { type SignatureAlgorithm, signatureAlgorithmOf } from '../../core/leaf/signature-algorithm.ts';

/** What is signed, how, and the SubjectPublicKeyInfo that the signature must verify with. */
export interface ToSign {
  readonly bytes: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly spki: Uint8Array;
}

/** The private key of an issuer, wherever it lies. */
export interface SigningKey {
  /** The signature as X.509 has it: at once where the key is in this process, later where it is not. */
  sign(order: ToSign): Uint8Array | Promise<Uint8Array>;
  /** Whether it is the key of the certificate. */
  isKeyOf(certificate: CaCertificate): boolean | Promise<boolean>;
}

/** A key that only `crypto` can use, and perhaps nobody can read: of a PKCS#11 module, or of a KMS. */
export interface ProvidedKey {
  /** The Web Crypto API of the key's holder; of it nothing but `subtle.sign` is called. */
  readonly crypto: Crypto;
  /** ECDSA P-256 or P-384, or RSASSA-PKCS1-v1_5 with SHA-256, as the issuer's certificate has it. */
  readonly privateKey: CryptoKey;
}

/** The default provider of keys and signatures: Node's own. */
export const nativeCrypto = webcrypto as Crypto;

/** A key in the memory of this process signs at once: the way to another thread costs more than an ECDSA signature. */
export const localKey = (key: KeyObject): SigningKey => ({
  sign: ({ bytes, algorithm }) => signAtOnce(algorithm.digest, bytes, key),
  isKeyOf: ({ der }) => new X509Certificate(der).checkPrivateKey(key),
});

/** Every signature is verified before it is used: its holder may have another key by now, or err. */
export const providedKey = (provided: ProvidedKey): SigningKey => ({
  sign: async (order) => {
    const signature = await signElsewhere(provided, order).catch((cause: unknown) => {
      throw new GatehouseError('unavailable', 'the issuer cannot sign now: try again', { cause });
    });
    if (isSignature(signature, order)) return signature;
    throw new GatehouseError('unavailable', 'what the issuer signed does not verify: try again');
  },
  isKeyOf: async ({ key, spki }) => {
    if (typeof key !== 'string') return false;
    const order = { bytes: question, algorithm: signatureAlgorithmOf(key), spki };
    return isSignature(await signElsewhere(provided, order), order);
  },
});

/** Begins with no tag of DER that a certificate, a CRL or a request could begin with. */
const question = new TextEncoder().encode('is this the key of the issuer?');

const signElsewhere = async (
  { crypto, privateKey }: ProvidedKey,
  { bytes, algorithm }: ToSign,
): Promise<Uint8Array> => {
  const isEcdsa = algorithm.name !== 'sha256WithRSAEncryption';
  const parameters = isEcdsa
    ? { name: 'ECDSA', hash: algorithm.digest === 'sha256' ? 'SHA-256' : 'SHA-384' }
    : { name: 'RSASSA-PKCS1-v1_5' };
  const signature = await crypto.subtle.sign(parameters, privateKey, bytes as Uint8Array<ArrayBuffer>);
  return isEcdsa ? inDer(new Uint8Array(signature)) : new Uint8Array(signature);
};

/** Web Crypto gives r and s one after the other (IEEE P1363), X.509 has a SEQUENCE of two INTEGERs (RFC 3279 §2.2.3). */
const inDer = (rs: Uint8Array): Uint8Array => {
  const half = rs.length / 2;
  return derSequence(derInteger(rs.subarray(0, half)), derInteger(rs.subarray(half)));
};

const isSignature = (signature: Uint8Array, { bytes, algorithm, spki }: ToSign): boolean =>
  verify(
    algorithm.digest,
    bytes,
    createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' }),
    signature,
  );
