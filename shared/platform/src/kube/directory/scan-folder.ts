import type { BigIntStats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Problem } from '@gatehouse/core/problem';
import type { Stamp } from './settled-files.ts';

/** What a walk through the folder found; paths are relative to it, with `/`. */
export interface Listing {
  readonly kind: 'listing';
  readonly files: ReadonlyMap<string, Stamp>;
  /** The folder and all directories below it, absolute, with what tells one from another of the same name. */
  readonly directories: ReadonlyMap<string, string>;
  /** Files and directories that are there and could not be looked at: nobody knows what they hold. */
  readonly closed: ReadonlyMap<string, Problem>;
  /** Links that were passed over, and why. */
  readonly ignoredLinks: ReadonlyMap<string, string>;
}

export type Scan =
  | Listing
  | { readonly kind: 'missing' }
  | { readonly kind: 'closed'; readonly found: string };

const isManifest = (name: string): boolean => /\.(?:yaml|yml|json)$/.test(name);

/** What the operating system says, such as `EACCES: permission denied, scandir '…'`. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String(error.code));

/** Inode numbers are used again soon after a delete, so the time of birth is part of it. */
const idOf = ({ dev, ino, birthtimeNs }: BigIntStats): string => `${dev}:${ino}:${birthtimeNs}`;

/** One walk. Every directory and file counts once, under the first of its paths, so that links cannot loop or double. */
class Walk {
  readonly files = new Map<string, Stamp>();
  readonly directories = new Map<string, string>();
  readonly closed = new Map<string, Problem>();
  readonly ignoredLinks = new Map<string, string>();
  readonly #root: string;
  readonly #seen = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async enter(real: string, path: string): Promise<void> {
    const entries = await readdir(real);
    this.directories.set(real, idOf(await stat(real, { bigint: true })));
    for (const entry of entries.sort()) {
      if (entry.startsWith('.')) continue;
      const inner = path === '' ? entry : `${path}/${entry}`;
      try {
        await this.#visit(join(real, entry), inner);
      } catch (error) {
        // Deleted while we walked, or a link to nothing: there is no such file.
        if (isGone(error)) continue;
        this.closed.set(inner, { field: '', found: messageOf(error), fix: 'let the service read it' });
      }
    }
  }

  async #visit(absolute: string, path: string): Promise<void> {
    const real = await realpath(absolute);
    if (!real.startsWith(this.#root + sep)) {
      this.ignoredLinks.set(path, `the link leads out of the folder, to ${real}, and is ignored`);
      return;
    }
    const stats = await stat(real, { bigint: true });
    if (!stats.isDirectory() && !(stats.isFile() && isManifest(path))) return;
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    if (stats.isDirectory()) await this.enter(real, path);
    else {
      const { size, mtimeNs, ctimeNs } = stats;
      this.files.set(path, { file: idOf(stats), size, mtimeNs, ctimeNs });
    }
  }
}

/** Walks the folder. What is wrong below it costs only itself. */
export const scanFolder = async (root: string): Promise<Scan> => {
  try {
    const real = await realpath(root);
    const walk = new Walk(real);
    await walk.enter(real, '');
    const { files, directories, closed, ignoredLinks } = walk;
    return { kind: 'listing', files, directories, closed, ignoredLinks };
  } catch (error) {
    return isGone(error) ? { kind: 'missing' } : { kind: 'closed', found: messageOf(error) };
  }
};
