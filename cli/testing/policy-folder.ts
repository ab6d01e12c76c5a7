import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { policyManifests } from './policy-manifests.ts';
import { type Ended, runToEnd } from './run-cli.ts';

export interface PolicyFolder {
  readonly folder: string;
  /** A command line with `--dir`. */
  run(...args: readonly string[]): Promise<Ended>;
  /** The same on a terminal so wide. */
  runAt(width: number, ...args: readonly string[]): Promise<Ended>;
}

/** A folder with `policyManifests`. */
export const onPolicyFolder = async (t: TestContext): Promise<PolicyFolder> => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'mesh.yaml'), policyManifests);
  return {
    folder,
    run: (...args) => runToEnd([...args, '--dir', folder]),
    runAt: (width, ...args) => runToEnd([...args, '--dir', folder], { width }),
  };
};
