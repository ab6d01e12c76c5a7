/** One certificate, as it is remembered. Hashes and serial in hexadecimal. */
export interface IssuanceRecord {
  readonly identity: string;
  /** Undefined for a token without pod, and for this service's own leaf. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined;
  readonly serial: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiSha256: string;
  /** SHA-256 of the certificate. */
  readonly leafSha256: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}
