import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Parsed, Problem } from '../../core/problem.ts';
import { type Drafts, draftAll } from './draft.ts';
import { breakManifest, type Manifest } from './manifest.ts';
import { readDocuments } from './manifest-documents.ts';

const mostBytes = 64 * 1024 * 1024;

const readBytes = async (path: string): Promise<Uint8Array | Problem | 'changed'> => {
  try {
    await using file = await open(path, 'r');
    const before = await file.stat({ bigint: true });
    if (before.size > mostBytes) {
      return {
        field: '',
        found: `${before.size} bytes`,
        fix: `a manifest has at most ${mostBytes}: split it`,
      };
    }
    const bytes = await file.readFile();
    const after = await file.stat({ bigint: true });
    return before.mtimeNs === after.mtimeNs && BigInt(bytes.byteLength) === after.size ? bytes : 'changed';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'ENOENT' ? 'changed' : { field: '', found: code, fix: 'let the service read the file' };
  }
};

const parse = (bytes: Uint8Array): Parsed<Drafts> => {
  const documents = readDocuments(bytes);
  return documents.ok ? draftAll(documents.value) : documents;
};

/** The manifests of a folder as they were last read. */
export class ManifestStore {
  readonly #root: string;
  readonly #manifests = new Map<string, Manifest>();

  constructor(root: string) {
    this.#root = root;
  }

  get manifests(): readonly Manifest[] {
    return [...this.#manifests.values()];
  }

  /** Reads a file anew; answers false when it changed meanwhile, so that what was read means nothing. */
  async read(path: string): Promise<boolean> {
    const bytes = await readBytes(join(this.#root, path));
    if (bytes === 'changed') return false;
    if (!(bytes instanceof Uint8Array)) {
      this.break(path, [bytes]);
      return true;
    }
    const drafts = parse(bytes);
    if (drafts.ok) this.#manifests.set(path, { path, ...drafts.value, state: { kind: 'read' } });
    else this.break(path, drafts.problems);
    return true;
  }

  break(path: string, problems: readonly Problem[]): void {
    this.#manifests.set(path, breakManifest(path, this.#manifests.get(path), problems));
  }

  forget(path: string): void {
    this.#manifests.delete(path);
  }
}
