import { lifeLeft } from '@gatehouse/core/expiry';
import { Type } from 'typebox';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import { lifetimeOf } from '../../core/issuer/issuer-expiry.ts';

/** A root, intermediate or issuer as people and programs read it. */
export const caFields = {
  subject: Type.String(),
  serial: Type.String({ description: 'Hexadecimal' }),
  key: Type.String({ description: 'P-256, P-384 or RSA' }),
  notBefore: Type.String({ format: 'date-time' }),
  notAfter: Type.String({ format: 'date-time' }),
  sha256: Type.String({ description: 'Of the certificate in DER, hexadecimal' }),
  lifeLeft: Type.Number({ description: 'From 1 (new) to 0 (expired)' }),
};

export const printCa = (certificate: CaCertificate, nowMs: number) => {
  const { name, serial, key, notBefore, notAfter, fingerprint } = certificate;
  return {
    subject: name,
    serial,
    key: typeof key === 'string' ? key : key.unsupported,
    notBefore: new Date(notBefore * 1000).toISOString(),
    notAfter: new Date(notAfter * 1000).toISOString(),
    sha256: fingerprint,
    lifeLeft: lifeLeft(lifetimeOf(certificate), nowMs),
  };
};
