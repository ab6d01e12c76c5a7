import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestFile } from './demo-paths.ts';

/** The folder of manifests that the demo's services watch: its cluster. */
export class ManifestFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Empties it: what somebody tried last time must not change what the story shows. */
  async reset(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  /**
   * Puts one of the story's manifests into the folder, whole (written aside, then renamed in), with `values` in place of
   * the upper-case words they are keyed by. Answers its text, and when it was there (epoch ms).
   */
  async apply(
    name: string,
    values: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly text: string; readonly at: number }> {
    let text = await readFile(manifestFile(name), 'utf8');
    for (const [word, value] of Object.entries(values)) text = text.replaceAll(word, value);
    const aside = join(this.path, `.${name}`);
    await writeFile(aside, text);
    const at = Date.now();
    await rename(aside, join(this.path, name));
    return { text, at };
  }

  /** Answers when it was gone (epoch ms). */
  async remove(name: string): Promise<number> {
    const at = Date.now();
    await rm(join(this.path, name));
    return at;
  }
}
