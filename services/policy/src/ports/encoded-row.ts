import { versionOf } from '@gatehouse/platform/grpc/row-version';
import type { EncodedRow } from '../core/inbound/rows/watched-row.ts';

export const encodedRow = (
  bytes: Uint8Array,
  { refresh = true }: Partial<Pick<EncodedRow, 'refresh'>> = {},
): EncodedRow => ({
  bytes,
  version: versionOf(bytes),
  refresh,
});
