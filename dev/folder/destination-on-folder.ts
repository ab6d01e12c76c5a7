import { readDestinationConfig } from '@gatehouse/destination/config';
import type { Resolution } from '@gatehouse/destination/ports/rest/resolution';
import { type Asked, readQuestion, resolve } from '@gatehouse/destination/ports/rest/resolve';
import { ClusterWatch } from '@gatehouse/destination/ports/watch';
import { DirectorySource } from '@gatehouse/platform/kube/directory/directory-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { cannotRead, type FolderPlace } from './policy-on-folder.ts';

/** What destination would answer if it ran on a folder; nothing listens, and nothing is written. Throws when the folder is not there. */
export const resolveOnFolder = async (
  { path, env, signal }: FolderPlace,
  asked: Asked,
): Promise<Resolution> => {
  const { namespace, trustDomain, clusterDomain, defaultOpaquePorts, ipv6 } = readDestinationConfig({
    ...env,
    GATEHOUSE_SOURCE: `directory:${path}`,
    // Asked for wherever the source is a folder, and not used here.
    GATEHOUSE_STATE_DIR: path,
  });
  const mesh = { controlPlaneNamespace: namespace, trustDomain };
  const watch = new ClusterWatch({ mesh, clusterDomain, defaultOpaquePorts, ipv6, slices: 'derived' });
  const { promise: listed, resolve: isListed } = Promise.withResolvers<void>();
  watch.observe(() => {
    if (watch.isReady) isListed();
  });
  const over = new AbortController();
  const source = new DirectorySource({ path, controlPlaneNamespace: namespace, log: silentLog });
  const ended = watch.run(source, AbortSignal.any([over.signal, signal]));
  // Said where the end is awaited.
  ended.catch(() => {});
  try {
    await Promise.race([listed, ended.then(() => Promise.reject(cannotRead(path, signal)))]);
    return resolve(watch.cluster, readQuestion(asked, clusterDomain));
  } finally {
    over.abort();
    await ended;
  }
};
