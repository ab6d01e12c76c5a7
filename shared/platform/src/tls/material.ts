import { constants, type KeyObject } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/** What one side of a TLS connection shows, and whom it believes. The key never leaves the process. */
export interface TlsMaterial {
  readonly key: KeyObject;
  /** X.509 in DER: the leaf, then its issuers, the root left out. */
  readonly chain: readonly Uint8Array[];
  /** PEM, one root or several. */
  readonly trustAnchors: string;
}

export const pemOf = (certificate: Uint8Array): string => {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
};

/**
 * TLS 1.3 and nothing else, as the proxy has it (contract/proxy.md §3.2), and no resumption: a resumed session would carry
 * an identity over that was verified to earlier anchors. Without material a server refuses every handshake.
 */
export const secureContextOptions = (
  trustAnchors: string | undefined,
  certificate: Pick<TlsMaterial, 'key' | 'chain'> | undefined,
): SecureContextOptions => ({
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
  // Never the public roots that Node would take by default.
  ca: trustAnchors ?? [],
  ...(certificate === undefined
    ? {}
    : {
        key: certificate.key.export({ type: 'pkcs8', format: 'pem' }),
        cert: certificate.chain.map(pemOf).join(''),
      }),
});

/** The certificates of a PEM bundle in DER, in their order; text around them is allowed, as in files that people write. */
export const certificatesInPem = (text: string): Uint8Array[] =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)].map(
    (match) => Buffer.from(match[1] ?? '', 'base64'),
  );
