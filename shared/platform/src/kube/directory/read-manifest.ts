import { open } from 'node:fs/promises';
import type { Problem } from '@gatehouse/core/problem';
import { mostManifestBytes } from './manifest-documents.ts';

/** What reading a file came to; `changed` when it was written to meanwhile, so that what was read means nothing. */
export type FileRead =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly problem: Problem };

const failed = (found: string, fix: string): FileRead => ({
  kind: 'failed',
  problem: { field: '', found, fix },
});

/** Reads a file whole, of which nothing was written in between. */
export const readManifestFile = async (path: string): Promise<FileRead> => {
  try {
    await using file = await open(path, 'r');
    const before = await file.stat({ bigint: true });
    // Before a byte is read: what a longer one would cost is not paid.
    if (before.size > mostManifestBytes) {
      return failed(`${before.size} bytes`, `a manifest has at most ${mostManifestBytes}: split it`);
    }
    const bytes = await file.readFile();
    const after = await file.stat({ bigint: true });
    const steady = before.mtimeNs === after.mtimeNs && BigInt(bytes.byteLength) === after.size;
    return steady ? { kind: 'bytes', bytes } : { kind: 'changed' };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'changed' };
    return failed(error instanceof Error ? error.message : String(error), 'let the service read the file');
  }
};
