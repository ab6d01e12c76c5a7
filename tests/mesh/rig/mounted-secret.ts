import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A Secret as kubelet mounts it: readers see the files of one time, because replacing them is one rename of `..data`. */
export class MountedSecret {
  readonly path: string;
  #versions = 0;

  constructor(path: string) {
    this.path = path;
  }

  async put(files: Readonly<Record<string, string>>): Promise<void> {
    this.#versions += 1;
    const version = `..version-${this.#versions}`;
    await mkdir(join(this.path, version), { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(this.path, version, name), content, { mode: 0o600 });
    }
    await symlink(version, join(this.path, '..data_tmp'));
    await rename(join(this.path, '..data_tmp'), join(this.path, '..data'));
    // What readers open; a link of this name that is there already leads to the new version by now.
    for (const name of Object.keys(files)) {
      await symlink(join('..data', name), join(this.path, name)).catch(unlessItIsThere);
    }
  }
}

const unlessItIsThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};
