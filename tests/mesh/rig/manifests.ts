import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One Kubernetes object as somebody would write it. */
export type Manifest = Readonly<Record<string, unknown>>;

/** The folder of manifests that the services watch: the rig's cluster. */
export class Manifests {
  readonly path: string;
  /** Where the folder is now: at `path`, or aside while it is hidden. */
  #place: string;

  constructor(path: string) {
    this.path = path;
    this.#place = path;
  }

  /** Puts objects under a name, in place of those that were there; readers never see half of it. JSON is YAML. */
  async put(name: string, ...objects: readonly Manifest[]): Promise<void> {
    const aside = join(this.#place, `.${name}`);
    await writeFile(aside, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    await rename(aside, join(this.#place, `${name}.yaml`));
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#place, `${name}.yaml`), { force: true });
  }

  /** Takes the whole folder from the services' sight, as an API server that nobody reaches. It can still be written to. */
  async hide(): Promise<void> {
    await this.#moveTo(`${this.path}.hidden`);
  }

  async show(): Promise<void> {
    await this.#moveTo(this.path);
  }

  async #moveTo(place: string): Promise<void> {
    await rename(this.#place, place);
    this.#place = place;
  }
}
