import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One Kubernetes object as somebody would write it. */
export type Manifest = Readonly<Record<string, unknown>>;

/** The folder of manifests that the services watch: the rig's cluster. */
export class Manifests {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Puts objects under a name, in place of those that were there; readers never see half of it. JSON is YAML. */
  async put(name: string, ...objects: readonly Manifest[]): Promise<void> {
    const aside = join(this.path, `.${name}`);
    await writeFile(aside, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    await rename(aside, join(this.path, `${name}.yaml`));
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, `${name}.yaml`));
  }
}
