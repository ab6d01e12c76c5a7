import type { Identity } from '@gatehouse/core/mesh/workload-identity';
import type { OlderKey } from './pod-keys.ts';

/** One certificate, as it is remembered. Hashes and serial in hexadecimal. */
export interface IssuanceRecord {
  readonly identity: Identity;
  /** Undefined for a token without pod, and for this service's own leaf. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined;
  readonly serial: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiSha256: string;
  /** SHA-256 of the TBSCertificate, which is all of a certificate but the signature: known before anything is signed. */
  readonly tbsSha256: string;
  /** SHA-256 of the certificate. Undefined until it is signed, and forever if the process died about then: it may exist. */
  readonly leafSha256: string | undefined;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Set when the pod had certified a newer key before. */
  readonly suspicious: OlderKey | undefined;
  /** The replica that issued it, where that is another. */
  readonly learnedFrom?: string;
}

/** What is known of a certificate before it is signed. */
export type IssuanceIntent = Omit<IssuanceRecord, 'leafSha256' | 'suspicious' | 'learnedFrom'>;

/** Sorts as text, newest first; the serial tells apart what was issued in the same millisecond. The order of every list. */
export const newestFirst = ({ issuedAt, serial }: Pick<IssuanceRecord, 'issuedAt' | 'serial'>): string =>
  `${String(Number.MAX_SAFE_INTEGER - issuedAt).padStart(16, '0')}/${serial}`;
