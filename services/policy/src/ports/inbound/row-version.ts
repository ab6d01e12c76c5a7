import { hash } from 'node:crypto';
import type { EncodedRow } from '../../core/inbound/rows/watched-row.ts';

/** Bytes with their version: 128 bits of SHA-256, so that equal versions may be taken for equal bytes. */
export const encodedRow = (bytes: Uint8Array): EncodedRow => ({
  bytes,
  version: hash('sha256', bytes, 'hex').slice(0, 32),
  refresh: true,
});
