import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { WebhookTls } from './webhook-tls.ts';

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** API servers beside us may have a clock that is a little behind. */
const backdateMs = 3_600_000;

const serialNumber = (): string => {
  const serial = randomBytes(16);
  serial[0] = (serial.readUInt8(0) & 0x3f) | 0x40;
  return serial.toString('hex');
};

/**
 * A CA for one certificate, and the certificate. The CA's key is forgotten at once: a reader of the Secret can serve as the
 * webhook until it is renewed, and cannot issue more certificates. `name` is the one by which API servers call.
 */
export const makeWebhookTls = async (
  name: string,
  { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
): Promise<WebhookTls> => {
  const validity = { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + lifetimeMs) };
  const pair = () => webcrypto.subtle.generateKey(p256, true, ['sign', 'verify']);
  const [caKeys, keys] = await Promise.all([pair(), pair()]);
  // Every renewal has a CA of a name of its own: verifiers choose an issuer by name.
  const issuer = `CN=gatehouse-webhook ${randomBytes(4).toString('hex')}`;
  const ca = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: issuer,
      issuer,
      ...validity,
      publicKey: caKeys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: p256,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto as unknown as Crypto,
  );
  const leaf = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `CN=${name.length <= 64 ? name : 'gatehouse-webhook'}`,
      issuer,
      ...validity,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: p256,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      ],
    },
    webcrypto as unknown as Crypto,
  );
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    ca: `${ca.toString('pem')}\n`,
    certificate: `${leaf.toString('pem')}\n`,
    key: `${PemConverter.encode(key, PemConverter.PrivateKeyTag)}\n`,
  };
};
