import type { ServiceName } from '@gatehouse/platform/service/service';
import type { Manifest } from './manifests.ts';

/** What the services watch, and what stands behind it. */
export interface MeshSource {
  /** Puts objects under a name, in place of those that were there. */
  put(name: string, ...objects: readonly Manifest[]): Promise<void>;
  remove(name: string): Promise<void>;
  /** Where a service reads all that, and how it proves itself. */
  settingsOf(service: ServiceName): Readonly<Record<string, string>>;
  /** What kubelet would project into a pod for identity. */
  tokenOf(pod: { readonly namespace: string; readonly name: string }): Promise<string>;
  /** Nobody can read it any more, until `resume`; it can still be written to, if it is a folder. */
  stall(): Promise<void>;
  resume(): Promise<void>;
  end(): Promise<void>;
}
