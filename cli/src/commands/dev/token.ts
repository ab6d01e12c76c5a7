import { mintPodToken } from '@gatehouse/dev/folder/dev-token';
import { Argument, Command } from 'commander';
import type { Run } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';
import { readNamespaced } from '../../print/output.ts';
import { addDevOptions, type DevOptions, openDevMesh } from './dev-mesh.ts';

type Named = ReturnType<typeof readNamespaced>;

/** `gatehouse dev token NS/POD`: prints what kubelet would project into the pod, and nothing else. */
export const devTokenCommand = (finish: (run: Run) => void): Command =>
  addDevOptions(new Command('token'))
    .description('Print a projected token for a pod of the folder (good for an hour).')
    .addArgument(new Argument('<pod>', 'NAMESPACE/POD').argParser(readNamespaced))
    .action((pod: Named, options: DevOptions) =>
      finish(async (surroundings) => {
        const devMesh = await openDevMesh(options, surroundings);
        const index = await devMesh.index(['Pod', 'ServiceAccount']);
        surroundings.terminal.out(await mintPodToken(devMesh.state, index, pod));
        return exitCode.ok;
      }),
    );
