import type { BigIntStats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Problem } from '../../core/problem.ts';
import type { Stamp } from './settled-files.ts';

/** What a walk through the folder found; paths are relative to it, with `/`. */
export interface Listing {
  readonly files: ReadonlyMap<string, Stamp>;
  /** Absolute paths of the folder and all below it, to be watched. */
  readonly directories: readonly string[];
  /** Directories that could not be read: nobody knows what is in them. */
  readonly closed: ReadonlyMap<string, Problem>;
  /** Links that were passed over, and why. */
  readonly ignoredLinks: ReadonlyMap<string, string>;
}

const isManifest = (name: string): boolean => /\.(?:yaml|yml|json)$/.test(name);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const isGone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error));

const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Stamp => ({
  file: `${dev}:${ino}`,
  size,
  mtimeNs,
  ctimeNs,
});

/** One walk. Every directory and file counts once, under the first of its paths, so that links cannot loop or double. */
class Walk {
  readonly files = new Map<string, Stamp>();
  readonly directories: string[] = [];
  readonly closed = new Map<string, Problem>();
  readonly ignoredLinks = new Map<string, string>();
  readonly #root: string;
  readonly #seen = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async directory(real: string, path: string): Promise<void> {
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    const entries = await this.#entries(real, path);
    if (entries === undefined) return;
    this.directories.push(real);
    for (const entry of entries.sort()) {
      if (!entry.startsWith('.'))
        await this.#entry(join(real, entry), path === '' ? entry : `${path}/${entry}`);
    }
  }

  async #entries(real: string, path: string): Promise<string[] | undefined> {
    try {
      return await readdir(real);
    } catch (error) {
      if (path === '') throw error;
      if (!isGone(error)) {
        this.closed.set(path, { field: '', found: codeOf(error), fix: 'let the service read the directory' });
      }
      return undefined;
    }
  }

  async #entry(absolute: string, path: string): Promise<void> {
    try {
      const real = await realpath(absolute);
      const stats = await stat(real, { bigint: true });
      if (!real.startsWith(this.#root + sep))
        this.ignoredLinks.set(path, `it leads out of the folder, to ${real}`);
      else if (stats.isDirectory()) await this.directory(real, path);
      else if (stats.isFile() && isManifest(path) && !this.#seen.has(real)) {
        this.#seen.add(real);
        this.files.set(path, stampOf(stats));
      }
    } catch (error) {
      // Deleted while we walked, or a link to nothing: there is no such file.
      if (!isGone(error))
        this.closed.set(path, { field: '', found: codeOf(error), fix: 'let the service read it' });
    }
  }
}

/** Walks the folder; undefined when there is none. Throws when it cannot be read. */
export const scanFolder = async (root: string): Promise<Listing | undefined> => {
  try {
    const real = await realpath(root);
    const walk = new Walk(real);
    await walk.directory(real, '');
    return walk;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
};
