import { mintPodToken } from '@gatehouse/dev/folder/dev-token';
import { readFolder } from '@gatehouse/dev/folder/read-folder';
import type { ServiceName } from '@gatehouse/platform/service/service';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import type { Manifest, Manifests } from './manifests.ts';
import { mesh } from './mesh-names.ts';
import type { MeshSource } from './mesh-source.ts';

/** A folder of manifests: the rig's cluster in dev mode. */
export class FolderSource implements MeshSource {
  readonly manifests: Manifests;
  readonly #state: StateDir;

  constructor(manifests: Manifests, state: StateDir) {
    this.manifests = manifests;
    this.#state = state;
  }

  settingsOf(_: ServiceName): Readonly<Record<string, string>> {
    return { GATEHOUSE_SOURCE: `directory:${this.manifests.path}`, GATEHOUSE_STATE_DIR: this.#state.root };
  }

  put(name: string, ...objects: readonly Manifest[]): Promise<void> {
    return this.manifests.put(name, ...objects);
  }

  remove(name: string): Promise<void> {
    return this.manifests.remove(name);
  }

  async tokenOf(pod: { readonly namespace: string; readonly name: string }): Promise<string> {
    const { path } = this.manifests;
    const index = await readFolder({ path, controlPlaneNamespace: mesh.controlPlaneNamespace }, [
      'Pod',
      'ServiceAccount',
    ]);
    return mintPodToken(this.#state, index, pod);
  }

  stall(): Promise<void> {
    return this.manifests.hide();
  }

  resume(): Promise<void> {
    return this.manifests.show();
  }

  /** The folder goes with all the others of this run. */
  async end(): Promise<void> {}
}
