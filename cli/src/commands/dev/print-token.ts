import { mintPodToken } from '@gatehouse/dev/folder/dev-token';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import type { NamespacedName } from '../../print/read-arguments.ts';
import { openDevMesh } from './dev-mesh.ts';
import type { DevOptions } from './dev-options.ts';

export const printToken = async (
  pod: NamespacedName,
  options: DevOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const devMesh = await openDevMesh(options, surroundings);
  const index = await devMesh.index(['Pod', 'ServiceAccount']);
  surroundings.terminal.out(await mintPodToken(devMesh.state, index, pod));
  return exitCode.ok;
};
