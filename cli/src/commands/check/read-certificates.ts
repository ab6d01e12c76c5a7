import { X509Certificate } from 'node:crypto';
import { readPemBundle } from '@gatehouse/platform/tls/pem-bundle';

/** The certificates of a PEM bundle; undefined where it holds none, or one that cannot be read. */
export const readCertificates = (pem: string): readonly X509Certificate[] | undefined => {
  const bundle = readPemBundle(pem);
  return bundle.ok ? bundle.value.certificates.map((der) => new X509Certificate(der)) : undefined;
};
