import { X509Certificate } from 'node:crypto';

/** The certificates of a PEM bundle; undefined where one cannot be read. */
export const readCertificates = (pem: string): readonly X509Certificate[] | undefined => {
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
};
