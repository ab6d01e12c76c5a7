/** How an issuer signs: the AlgorithmIdentifier that stands twice in each leaf, and the digest. */
export interface SignatureAlgorithm {
  readonly name: 'ecdsa-with-SHA256' | 'ecdsa-with-SHA384' | 'sha256WithRSAEncryption';
  /** AlgorithmIdentifier in DER. */
  readonly identifier: Uint8Array;
  readonly digest: 'sha256' | 'sha384';
}

/** The keys that an issuer may have: what the proxy verifies (contract/proxy.md §3.4, chain signature algorithms). */
export type IssuerKey = 'P-256' | 'P-384' | 'RSA';

const algorithms: Readonly<Record<IssuerKey, SignatureAlgorithm>> = {
  // RFC 5758 §3.2: ECDSA identifiers have no parameters.
  'P-256': {
    name: 'ecdsa-with-SHA256',
    identifier: Uint8Array.fromHex('300a06082a8648ce3d040302'),
    digest: 'sha256',
  },
  'P-384': {
    name: 'ecdsa-with-SHA384',
    identifier: Uint8Array.fromHex('300a06082a8648ce3d040303'),
    digest: 'sha384',
  },
  // RFC 4055 §5: the parameters of PKCS#1 v1.5 must be NULL; webpki compares them.
  RSA: {
    name: 'sha256WithRSAEncryption',
    identifier: Uint8Array.fromHex('300d06092a864886f70d01010b0500'),
    digest: 'sha256',
  },
};

export const signatureAlgorithmOf = (key: IssuerKey): SignatureAlgorithm => algorithms[key];
