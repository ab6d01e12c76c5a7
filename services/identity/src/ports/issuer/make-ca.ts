import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { nativeCrypto } from './signing-key.ts';

/** Verifiers beside us may have a clock that is a little behind. */
const backdateMs = 3_600_000;

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A root and the issuer below it, all in PEM. */
export interface MadeTrust {
  readonly root: CaPem;
  readonly issuer: CaPem;
}

export interface CaPem {
  readonly certificate: string;
  /** PKCS#8. */
  readonly key: string;
}

/** Makes a new root and an issuer, both ECDSA P-256 and valid for `lifetimeMs` from `nowMs` (epoch milliseconds) on. */
export const makeTrust = async (
  trustDomain: string,
  { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
): Promise<MadeTrust> => {
  const validity = { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + lifetimeMs) };
  const root = await makeCa({ name: `root.${trustDomain}`, pathLength: 1, validity });
  const issuer = await makeCa({ name: `issuer.${trustDomain}`, pathLength: 0, validity, parent: root });
  return { root: await toPem(root), issuer: await toPem(issuer) };
};

const toPem = async ({ certificate, keys }: Ca): Promise<CaPem> => ({
  certificate: `${certificate.toString('pem')}\n`,
  key: await exportKey(keys),
});

interface Ca {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: X509Certificate;
}

interface CaOrder {
  readonly name: string;
  readonly pathLength: number;
  readonly validity: { readonly notBefore: Date; readonly notAfter: Date };
  /** Left out for a root. */
  readonly parent?: Ca;
}

const makeCa = async ({ name, pathLength, validity, parent }: CaOrder): Promise<Ca> => {
  const keys = await nativeCrypto.subtle.generateKey(p256, true, ['sign', 'verify']);
  const signingKeys = parent?.keys ?? keys;
  const subject = `CN=${name}`;
  const serial = randomBytes(16);
  serial[0] = (serial.readUInt8(0) & 0x3f) | 0x40;
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial.toString('hex'),
      subject,
      issuer: parent?.certificate.subjectName ?? subject,
      ...validity,
      publicKey: keys.publicKey,
      signingKey: signingKeys.privateKey,
      signingAlgorithm: p256,
      extensions: [
        new BasicConstraintsExtension(true, pathLength, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, nativeCrypto),
        await AuthorityKeyIdentifierExtension.create(signingKeys.publicKey, false, nativeCrypto),
      ],
    },
    nativeCrypto,
  );
  return { keys, certificate };
};

const exportKey = async (keys: webcrypto.CryptoKeyPair): Promise<string> =>
  `${PemConverter.encode(await nativeCrypto.subtle.exportKey('pkcs8', keys.privateKey), PemConverter.PrivateKeyTag)}\n`;
