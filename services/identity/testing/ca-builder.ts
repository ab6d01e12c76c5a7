import 'reflect-metadata';
import { createHash, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { contextTag, derSequence, derText, writeDer } from '@gatehouse/core/der/der';
import { pemOf } from '@gatehouse/platform/tls/material';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
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

/** What a key may be; `RSA` is the shortest that is allowed. Those after it are for CAs above the issuer, or for nobody. */
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
  'RSA-1024': { ...rsa, modulusLength: 1024 },
  'RSA-PSS': { ...rsa, name: 'RSA-PSS', modulusLength: 2048, saltLength: 32 },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  Ed25519: { name: 'Ed25519' },
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
  /** Milliseconds since the epoch. Default: an hour ago and in ten days. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly hash?: string;
  /** DNS names of its own, as a CA rarely has them. */
  readonly dnsNames?: readonly string[];
  readonly constraints?: Constraints;
  /** How the parent's name is written in it. Default: as PrintableString, which the parent has too. */
  readonly writesIssuerAs?: 'utf8String';
}

/** DNS names that nameConstraints permit and exclude; `other` adds subtrees in DER to those permitted. */
export interface Constraints {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  readonly other?: readonly Uint8Array[];
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
      issuer:
        parts.writesIssuerAs === undefined
          ? `CN=${signer.name}`
          : new Name([{ CN: [{ [parts.writesIssuerAs]: signer.name }] }]),
      notBefore: new Date(parts.notBefore ?? Date.now() - 3_600_000),
      notAfter: new Date(parts.notAfter ?? Date.now() + 864_000_000),
      publicKey: keys.publicKey,
      signingKey: signer.keys.privateKey,
      signingAlgorithm:
        parts.hash === undefined
          ? signer.algorithm
          : ({ ...signer.algorithm, hash: parts.hash } as EcdsaParams),
      extensions: [
        new BasicConstraintsExtension(isCa, isCa ? parts.pathLength : undefined, true),
        new KeyUsagesExtension(usages, true),
        ...(purposes === undefined ? [] : [new ExtendedKeyUsageExtension([...purposes])]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto as Crypto),
        await AuthorityKeyIdentifierExtension.create(signer.keys.publicKey, false, webcrypto as Crypto),
        ...(parts.dnsNames === undefined
          ? []
          : [
              new SubjectAlternativeNameExtension(
                parts.dnsNames.map((value) => ({ type: 'dns' as const, value })),
              ),
            ]),
        ...(parts.constraints === undefined ? [] : [nameConstraints(parts.constraints)]),
        ...(parts.extensions ?? []),
      ],
    },
    webcrypto as Crypto,
  );
  const der = new Uint8Array(certificate.rawData);
  const keyPem = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { name, keys, algorithm, der, pem: pemOf(der), keyPem };
};

const makeKeys = async (algorithm: SigningAlgorithm): Promise<webcrypto.CryptoKeyPair> =>
  (await webcrypto.subtle.generateKey(algorithm as EcdsaParams & EcKeyGenParams, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;

type EcdsaParams = webcrypto.EcdsaParams;
type EcKeyGenParams = webcrypto.EcKeyGenParams;

/** RFC 5280 §4.2.1.10. */
const nameConstraints = ({ permitted = [], excluded = [], other = [] }: Constraints): Extension => {
  const subtree = (base: string) => derSequence(derText(contextTag(2, 'primitive'), base));
  const list = (number: number, subtrees: readonly Uint8Array[]) =>
    subtrees.length === 0 ? [] : [writeDer(contextTag(number, 'constructed'), ...subtrees)];
  const value = derSequence(
    ...list(0, [...permitted.map(subtree), ...other]),
    ...list(1, excluded.map(subtree)),
  );
  return new Extension('2.5.29.30', true, new Uint8Array(value));
};

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
