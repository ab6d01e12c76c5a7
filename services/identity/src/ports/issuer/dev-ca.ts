import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { makeFileOnce, makeFolderOnce, readStateFile } from '@gatehouse/platform/state/state-files';
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

const tenYearsMs = 10 * 365 * 86_400_000;
/** Verifiers beside us may have a clock that is a little behind. */
const backdateMs = 3_600_000;

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * The CA of dev mode: a root and an issuer in the state directory, made by the first process that needs them, whole or not at all,
 * so that two processes that race agree on one root. A real mesh brings its own issuer.
 */
export const ensureDevCa = async (state: StateDir, trustDomain: string, nowMs: number): Promise<void> => {
  await makeFolderOnce(state.ca, async () => {
    const validity = { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + tenYearsMs) };
    const root = await makeCa({ name: `root.${trustDomain}`, pathLength: 1, validity });
    const issuer = await makeCa({ name: `issuer.${trustDomain}`, pathLength: 0, validity, parent: root });
    return {
      'root.crt': { secrecy: 'public', content: `${root.certificate.toString('pem')}\n` },
      'root.key': { secrecy: 'private', content: await exportKey(root.keys) },
      'issuer.crt': { secrecy: 'public', content: `${issuer.certificate.toString('pem')}\n` },
      'issuer.key': { secrecy: 'private', content: await exportKey(issuer.keys) },
    };
  });
  await makeFileOnce(state.trustAnchors, 'public', () => readStateFile(state.rootCert));
};

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
