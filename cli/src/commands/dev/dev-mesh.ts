import { resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, parseHostPort } from '@gatehouse/core/host-port';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { Kind } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { readFolder } from '@gatehouse/dev/folder/read-folder';
import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { readRecordedFolder } from '@gatehouse/dev/serve/recorded-folder';
import { readServed } from '@gatehouse/dev/serve/served';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { openStateDir, type StateDir } from '@gatehouse/platform/state/state-dir';
import { readTrustAnchors } from '@gatehouse/platform/tls/pem-bundle';
import type { Surroundings } from '../../cli.ts';
import type { DevOptions } from './dev-options.ts';

/** The state directory of running services, and the folder of manifests that it belongs to. */
export interface DevMesh {
  readonly state: StateDir;
  readonly mesh: Mesh;
  index(kinds: readonly Kind[]): Promise<ResourceIndex>;
  /** Where a service is, and how it is spoken to: TLS with its mesh name unless it serves plaintext on loopback. */
  reach(service: ServiceName): Promise<Reached>;
}

export interface Reached {
  readonly address: HostPort;
  readonly security: Security;
  /** The file with the roots that it was told to trust, which a service on plaintext may do without. */
  readonly trustAnchors: string;
}

export type Security = 'plaintext' | { readonly serverName: string; readonly trustAnchors: string };

export const openDevMesh = async (
  options: DevOptions,
  { env, workingDirectory }: Surroundings,
): Promise<DevMesh> => {
  const root = resolve(workingDirectory, options.state ?? env.GATEHOUSE_STATE_DIR ?? defaultStateDir);
  const state = await openStateDir(root);
  const mesh: Mesh = {
    controlPlaneNamespace: env.GATEHOUSE_NAMESPACE ?? 'gatehouse',
    trustDomain: env.GATEHOUSE_TRUST_DOMAIN ?? 'cluster.local',
  };
  const { controlPlaneNamespace } = mesh;
  return {
    state,
    mesh,
    index: async (kinds) =>
      readFolder({ path: await folderOf(state, options, workingDirectory), controlPlaneNamespace }, kinds),
    reach: async (service) => {
      const { grpc, name, tls, trustAnchors } = await readServed(state, service);
      const address = parseHostPort(grpc);
      if (!address.ok)
        throw new GatehouseError(
          'failed-precondition',
          `${state.root} names no address of ${service}: ${grpc}`,
        );
      const security: Security = tls
        ? { serverName: name, trustAnchors: await readTrustAnchors(trustAnchors) }
        : 'plaintext';
      return { address: address.value, security, trustAnchors };
    },
  };
};

const folderOf = async (state: StateDir, { dir }: DevOptions, workingDirectory: string): Promise<string> =>
  dir === undefined ? readRecordedFolder(state) : resolve(workingDirectory, dir);
