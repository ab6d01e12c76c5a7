import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';

/** One entry of an image's file system. Everything belongs to root; `path` has no slash at its start. */
export type Entry =
  | { readonly kind: 'file'; readonly path: string; readonly content: Buffer | string; readonly mode?: 0o755 }
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: 0o1777 }
  | { readonly kind: 'link'; readonly path: string; readonly to: string };

/** A layer as images hold it. */
export interface Layer {
  readonly gzipped: Buffer;
  /** Of `gzipped`. */
  readonly digest: string;
  /** Of the tar archive itself, by which a container runtime knows the unpacked layer. */
  readonly diffId: string;
}

export const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The same entries give the same bytes, whatever their order here: sorted, and with no time, user or machine in them. */
export const layerOf = async (entries: readonly Entry[]): Promise<Layer> => {
  const tar = await tarOf(withFolders(entries));
  const gzipped = await promisify(gzip)(tar, { level: 6 });
  return { gzipped, digest: digestOf(gzipped), diffId: digestOf(tar) };
};

/** A tar archive of these entries, sorted by path. */
export const tarOf = async (entries: readonly Entry[]): Promise<Buffer> => {
  const archive = pack();
  const bytes = buffer(archive);
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const header = { name: entry.path, mtime: new Date(0), uid: 0, gid: 0 };
    switch (entry.kind) {
      case 'file':
        archive.entry({ ...header, mode: entry.mode ?? 0o644 }, entry.content);
        break;
      case 'folder':
        archive.entry({ ...header, name: `${entry.path}/`, type: 'directory', mode: entry.mode ?? 0o755 });
        break;
      case 'link':
        archive.entry({ ...header, type: 'symlink', linkname: entry.to, mode: 0o777 });
    }
  }
  archive.finalize();
  return bytes;
};

/** Runtimes make missing folders as they like: those above an entry are entries too. */
const withFolders = (entries: readonly Entry[]): readonly Entry[] => {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  if (all.size < entries.length) throw new Error('two entries of a layer have the same path');
  for (const { path } of entries) {
    const parts = path.split('/').slice(0, -1);
    for (const [index] of parts.entries()) {
      const above = parts.slice(0, index + 1).join('/');
      if (!all.has(above)) all.set(above, { kind: 'folder', path: above });
    }
  }
  return [...all.values()];
};

/** The files of a folder, as entries below `at`. */
export const entriesOf = async (folder: string, at: string): Promise<readonly Entry[]> => {
  const names = await readdir(folder, { recursive: true });
  const entries = names.map(async (name): Promise<readonly Entry[]> => {
    const file = join(folder, name);
    if (!(await stat(file)).isFile()) return [];
    return [{ kind: 'file', path: `${at}/${name}`, content: await readFile(file) }];
  });
  return (await Promise.all(entries)).flat();
};
