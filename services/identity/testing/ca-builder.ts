import 'reflect-metadata';
import { createHash, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { pemOf } from '@gatehouse/shared/tls/material';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

export { Extension, KeyUsageFlags };

/** A CA of a test, made by a library that knows nothing of our own DER. */
export interface TestCa {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly algorithm: SigningAlgorithm;
  readonly der: Uint8Array;
  readonly pem: string;
  /** PKCS#8 in PEM. */
  readonly keyPem: string;
}

/** What a key may be; `RSA` is the shortest that is allowed. */
export type TestKey = keyof typeof algorithms;

type SigningAlgorithm = (typeof algorithms)[TestKey];

const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

const algorithms = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  RSA: { ...rsa, modulusLength: 2048 },
  'RSA-3072': { ...rsa, modulusLength: 3072 },
  'RSA-4096': { ...rsa, modulusLength: 4096 },
} as const;

interface CaParts {
  readonly name?: string;
  readonly key?: TestKey;
  /** The keys of another CA: renewed with the same key, or cross-signed. */
  readonly keys?: Pick<TestCa, 'keys' | 'algorithm'>;
  /** A root without one. */
  readonly parent?: TestCa;
  /** Undefined = no limit. */
  readonly pathLength?: number;
  readonly isCa?: boolean;
  readonly usages?: number;
  readonly purposes?: readonly string[];
  readonly extensions?: readonly Extension[];
  /** Milliseconds since the epoch; an hour ago and in ten days when left out. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly hash?: string;
}

/** For CAs that share it: a long RSA key takes longer to make than all certificates of a test. */
export const aKeyPair = async (key: TestKey): Promise<Pick<TestCa, 'keys' | 'algorithm'>> => {
  const algorithm = algorithms[key];
  return { keys: await makeKeys(algorithm), algorithm };
};

export const aCa = async (parts: CaParts = {}): Promise<TestCa> => {
  const { name = parts.parent === undefined ? 'root' : 'issuer', parent, isCa = true } = parts;
  const algorithm = parts.keys?.algorithm ?? algorithms[parts.key ?? 'P-256'];
  const keys = parts.keys?.keys ?? (await makeKeys(algorithm));
  const signer = parent ?? { name, keys, algorithm };
  const { usages = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, purposes } = parts;
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: `4${randomBytes(16).toString('hex').slice(1)}`,
      subject: `CN=${name}`,
      issuer: `CN=${signer.name}`,
      notBefore: new Date(parts.notBefore ?? Date.now() - 3_600_000),
      notAfter: new Date(parts.notAfter ?? Date.now() + 864_000_000),
      publicKey: keys.publicKey,
      signingKey: signer.keys.privateKey,
      signingAlgorithm:
        parts.hash === undefined ? signer.algorithm : { ...signer.algorithm, hash: parts.hash },
      extensions: [
        new BasicConstraintsExtension(isCa, isCa ? parts.pathLength : undefined, true),
        new KeyUsagesExtension(usages, true),
        ...(purposes === undefined ? [] : [new ExtendedKeyUsageExtension([...purposes])]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto as Crypto),
        await AuthorityKeyIdentifierExtension.create(signer.keys.publicKey, false, webcrypto as Crypto),
        ...(parts.extensions ?? []),
      ],
    },
    webcrypto as Crypto,
  );
  const der = new Uint8Array(certificate.rawData);
  const keyPem = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { name, keys, algorithm, der, pem: pemOf(der), keyPem };
};

const makeKeys = (algorithm: SigningAlgorithm): Promise<webcrypto.CryptoKeyPair> =>
  algorithm.name === 'ECDSA'
    ? webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    : webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** What @peculiar/x509 makes of a leaf: an independent reader of what our own DER wrote. */
export const verifyWithPeculiar = async (leaf: Uint8Array, issuer: TestCa) => {
  const certificate = new X509Certificate(leaf as Uint8Array<ArrayBuffer>);
  const authority = new X509Certificate(issuer.der as Uint8Array<ArrayBuffer>);
  const verified = await certificate.verify(
    { publicKey: authority.publicKey, signatureOnly: true },
    webcrypto as Crypto,
  );
  // RFC 7093 §2 (1): the first 160 bits of SHA-256 over the point, 65 bytes at the end of a P-256 key.
  const point = Buffer.from(certificate.publicKey.rawData).subarray(-65);
  const ownKey = createHash('sha256').update(point).digest('hex').slice(0, 40);
  const authorityKey = authority.getExtension(SubjectKeyIdentifierExtension)?.keyId;
  const print = (extension: Extension): string => {
    if (extension instanceof KeyUsagesExtension) {
      return extension.usages === KeyUsageFlags.digitalSignature ? 'digitalSignature' : `${extension.usages}`;
    }
    if (extension instanceof ExtendedKeyUsageExtension) return extension.usages.join();
    if (extension instanceof BasicConstraintsExtension) return extension.ca ? 'CA:TRUE' : 'CA:FALSE';
    if (extension instanceof AuthorityKeyIdentifierExtension) {
      return extension.keyId === authorityKey ? 'key of the issuer' : `${extension.keyId}`;
    }
    if (extension instanceof SubjectKeyIdentifierExtension) {
      return extension.keyId === ownKey ? 'key of the leaf' : extension.keyId;
    }
    if (extension instanceof SubjectAlternativeNameExtension) {
      return extension.names.items.map(({ type, value }) => `${type}:${value}`).join();
    }
    return 'something else';
  };
  return {
    verified,
    subject: certificate.subject,
    issuer: certificate.issuer,
    extensions: Object.fromEntries(
      certificate.extensions.map((one) => [one.type, { critical: one.critical, value: print(one) }]),
    ),
  };
};
