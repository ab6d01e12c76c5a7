import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { stringify } from 'yaml';

/** Objects as the documents of a manifest; texts that YAML 1.1 would take for something else are in quotes. */
export const asManifest = (...objects: readonly WireObject[]): string =>
  objects.map((object) => stringify(object, { compat: 'yaml-1.1' })).join('---\n');

/** A folder of manifests of its own, reached through a link, and removed in the end. */
export class ManifestFolder implements AsyncDisposable {
  /** What a source is given. */
  readonly path: string;
  readonly #base: string;
  #generation = 0;

  private constructor(base: string) {
    this.#base = base;
    this.path = join(base, 'manifests');
  }

  static async make(): Promise<ManifestFolder> {
    const folder = new ManifestFolder(await mkdtemp(join(tmpdir(), 'gatehouse-manifests-')));
    await folder.swap({});
    return folder;
  }

  at(file: string): string {
    return join(this.path, file);
  }

  /** Writes in place, as an editor or `cat >` does. */
  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(this.at(file)), { recursive: true });
    await writeFile(this.at(file), text);
  }

  /** Writes beside the folder and renames into it, so that nobody can see half of it. */
  async put(file: string, text: string): Promise<void> {
    const draft = join(this.#base, 'draft');
    await writeFile(draft, text);
    await mkdir(dirname(this.at(file)), { recursive: true });
    await rename(draft, this.at(file));
  }

  async move(from: string, to: string): Promise<void> {
    await rename(this.at(from), this.at(to));
  }

  async remove(file: string): Promise<void> {
    await rm(this.at(file), { recursive: true });
  }

  /** Puts another directory in the folder's place, by its link: nothing below the folder has an event of it. */
  async swap(files: Readonly<Record<string, string>>): Promise<void> {
    this.#generation += 1;
    const directory = join(this.#base, `generation-${this.#generation}`);
    await mkdir(directory);
    for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
    const link = join(this.#base, 'link');
    await symlink(directory, link);
    await rename(link, this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#base, { recursive: true });
  }
}
