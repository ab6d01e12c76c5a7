import type { ServiceName } from '@gatehouse/shared/service';
import type { RealMesh } from '../rig/real-mesh.ts';

/** A service with other settings for as long as `during` lasts. */
export const withSettings = async <T>(
  mesh: RealMesh,
  {
    service,
    settings,
  }: { readonly service: ServiceName; readonly settings: Readonly<Record<string, string>> },
  during: () => Promise<T>,
): Promise<T> => {
  const restart = async (env: Readonly<Record<string, string>>): Promise<void> => {
    await mesh.controlPlane.kill(service);
    mesh.controlPlane.start(service, env);
    await mesh.controlPlane.untilReady(service);
  };
  await restart(settings);
  try {
    return await during();
  } finally {
    await restart({});
  }
};
