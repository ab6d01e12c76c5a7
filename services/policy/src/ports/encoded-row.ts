import { versionOf } from '@gatehouse/platform/grpc/row-version';
import type { EncodedRow } from '../core/inbound/rows/watched-row.ts';

/** A quiet stream is sent each row again: none has a rate limit yet, which a refresh would empty. */
export const encodedRow = (bytes: Uint8Array): EncodedRow => ({
  bytes,
  version: versionOf(bytes),
  refresh: true,
});
