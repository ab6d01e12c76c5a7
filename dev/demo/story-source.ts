import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { ServiceName } from '@gatehouse/platform/service/service';
import type { NamedPod } from '../folder/dev-token.ts';

/** Where the story takes place: what its services watch, and what its manifests are written to. */
export interface StorySource {
  /** What it is, for the title of the first step: `a folder of manifests`. */
  readonly what: string;
  /** The folder of manifests, when it is one. */
  readonly folder: string | undefined;
  /** The file of the roots that everybody trusts; there once the services are ready. */
  readonly trustAnchors: string;
  /** The settings that make a service stand on it. */
  settingsOf(service: ServiceName): Readonly<Record<string, string>>;
  /**
   * Writes one of the story's manifests, with `values` in place of the upper-case words they are keyed by. Returns its
   * text, and when it was written (epoch ms).
   */
  apply(name: string, values?: Readonly<Record<string, string>>): Promise<AppliedManifest>;
  /** Removes what a manifest of the story brought. Returns when (epoch ms). */
  remove(name: string): Promise<number>;
  /** Its pods and ServiceAccounts, as the services come to see them. */
  read(): Promise<ResourceIndex>;
  /** The token that kubelet would project into the pod. */
  tokenOf(pod: NamedPod, index: ResourceIndex): Promise<string>;
}

export interface AppliedManifest {
  readonly text: string;
  readonly at: number;
}
