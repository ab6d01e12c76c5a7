import { GatehouseError } from '@gatehouse/core/error';
import type { Kind } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { DirectorySource } from '@gatehouse/platform/kube/directory/directory-source';
import { type Log, silentLog } from '@gatehouse/platform/log/log';
import { readSource } from './read-source.ts';

export interface FolderToRead {
  readonly path: string;
  readonly controlPlaneNamespace: string;
  readonly log?: Log;
}

/**
 * Reads a folder of manifests once, as a service would see it: what manifests leave out is a pure function of the folder,
 * so addresses and uids are those that every service comes to.
 */
export const readFolder = async (
  { path, controlPlaneNamespace, log = silentLog }: FolderToRead,
  kinds: readonly Kind[],
): Promise<ResourceIndex> => {
  const index = await readSource(new DirectorySource({ path, controlPlaneNamespace, log }), kinds);
  const [unreadable] = index.unreadable;
  if (unreadable !== undefined) {
    const { found, fix } = unreadable.problem;
    throw new GatehouseError('failed-precondition', `${unreadable.path} cannot be read: ${found}: ${fix}`);
  }
  return index;
};
