import type { ServiceName } from '@gatehouse/platform/service/service';
import type { Surroundings } from '../cli.ts';
import type { AdminApi } from './admin-client.ts';
import { findMesh, type MeshPlace, openAdmin } from './open-admin.ts';
import type { ReachOptions } from './reach-options.ts';

interface Asking {
  readonly service: ServiceName;
  readonly options: ReachOptions;
  readonly surroundings: Surroundings;
}

/** Does something with the REST API of a service, and lets go of every connection, however that ended. */
export const withAdmin = async <T>(
  { service, options, surroundings }: Asking,
  use: (api: AdminApi, mesh: MeshPlace) => Promise<T>,
): Promise<T> => {
  const mesh = await findMesh(service, options, surroundings);
  try {
    return await use(await openAdmin(service, mesh, { options, surroundings }), mesh);
  } finally {
    if (mesh.kind === 'cluster') mesh.cluster.client.close();
  }
};
