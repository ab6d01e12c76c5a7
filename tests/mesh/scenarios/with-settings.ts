import type { ServiceName } from '@gatehouse/platform/service/service';
import { serviceNames } from '../rig/control-plane.ts';
import type { RealMesh } from '../rig/real-mesh.ts';

type Settings = Readonly<Record<string, string>>;

/** Some services with other settings for as long as `during` lasts; identity first, since the others are certified by it. */
export const withSettings = async <T>(
  mesh: RealMesh,
  settings: Readonly<Partial<Record<ServiceName, Settings>>>,
  during: () => Promise<T>,
): Promise<T> => {
  const restart = async (settingsOf: (service: ServiceName) => Settings): Promise<void> => {
    for (const service of serviceNames.filter((service) => settings[service] !== undefined)) {
      await mesh.controlPlane.kill(service);
      mesh.controlPlane.start(service, settingsOf(service));
      await mesh.controlPlane.untilReady(service);
    }
  };
  await restart((service) => settings[service] ?? {});
  try {
    return await during();
  } finally {
    await restart(() => ({}));
  }
};
