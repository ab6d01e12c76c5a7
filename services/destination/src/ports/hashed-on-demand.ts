import { versionOf } from '@gatehouse/platform/grpc/row-version';
import type { Said } from '@gatehouse/platform/service/open-streams';

/** Hashes when it is first asked for: hardly anyone asks, and there is a new one with every change. */
export const hashedOnDemand = (bytes: () => Uint8Array): Said => {
  let version: string | undefined;
  return {
    get version() {
      version ??= versionOf(bytes());
      return version;
    },
  };
};
