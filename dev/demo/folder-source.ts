import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { mintPodToken, type NamedPod } from '../folder/dev-token.ts';
import { readFolder } from '../folder/read-folder.ts';
import { readManifest } from './story-manifest.ts';
import type { AppliedManifest, StorySource } from './story-source.ts';

/** The demo's own cluster: a folder of manifests beside its keys and tokens, in the state directory. */
export class FolderStorySource implements StorySource {
  readonly what = 'a folder of manifests';
  readonly folder: string;
  readonly trustAnchors: string;
  readonly #state: StateDir;

  private constructor(state: StateDir) {
    this.#state = state;
    this.folder = join(state.root, 'manifests');
    this.trustAnchors = state.trustAnchors;
  }

  /** Begins with an empty folder: what was tried last time must not change what the story shows. */
  static async open(state: StateDir): Promise<FolderStorySource> {
    const source = new FolderStorySource(state);
    await rm(source.folder, { recursive: true, force: true });
    await mkdir(source.folder, { recursive: true, mode: 0o700 });
    return source;
  }

  settingsOf(): Readonly<Record<string, string>> {
    return { GATEHOUSE_SOURCE: `directory:${this.folder}`, GATEHOUSE_STATE_DIR: this.#state.root };
  }

  /** Whole: written aside, then renamed in. */
  async apply(name: string, values?: Readonly<Record<string, string>>): Promise<AppliedManifest> {
    const text = await readManifest(name, values);
    const aside = join(this.folder, `.${name}`);
    await writeFile(aside, text);
    const at = Date.now();
    await rename(aside, join(this.folder, name));
    return { text, at };
  }

  async remove(name: string): Promise<number> {
    const at = Date.now();
    await rm(join(this.folder, name));
    return at;
  }

  read(): Promise<ResourceIndex> {
    // The control-plane namespace only decides which pods of the control plane there are; the story has none of them.
    return readFolder({ path: this.folder, controlPlaneNamespace: 'gatehouse' }, ['Pod', 'ServiceAccount']);
  }

  tokenOf(pod: NamedPod, index: ResourceIndex): Promise<string> {
    return mintPodToken(this.#state, index, pod);
  }
}
