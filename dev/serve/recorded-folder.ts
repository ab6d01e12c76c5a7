import { readFile } from 'node:fs/promises';
import { GatehouseError } from '@gatehouse/core/error';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { replaceFile } from '@gatehouse/platform/state/state-files';

/** Keeps which folder of manifests a state directory belongs to, so that `gatehouse dev` need not be told. */
export const recordFolder = (state: StateDir, folder: string): Promise<void> =>
  replaceFile(state.dir, 'public', `${folder}\n`);

/** The folder that was recorded last. Throws `failed-precondition` when none was. */
export const readRecordedFolder = async (state: StateDir): Promise<string> => {
  const recorded = (await readFile(state.dir, 'utf8').catch(() => '')).trim();
  if (recorded !== '') return recorded;
  throw new GatehouseError(
    'failed-precondition',
    `${state.root} does not say which folder it belongs to: use --dir`,
  );
};
