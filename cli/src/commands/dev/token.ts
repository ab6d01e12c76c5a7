import { Argument, Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type NamespacedName, readNamespaced } from '../../print/read-arguments.ts';
import { addDevOptions, type DevOptions } from './dev-options.ts';

const examples = `
Examples:
  # of a pod of the folder that \`gatehouse serve\` runs on
  gatehouse dev token demo/frontend-0
  # while \`gatehouse demo\` is up
  gatehouse dev token demo/frontend-0 --state .gatehouse/demo`;

/** `gatehouse dev token NS/POD`: prints what kubelet would project into the pod, and nothing else. */
export const devTokenCommand = (finish: (run: Run) => void): Command =>
  addDevOptions(new Command('token'))
    .description('Print a projected token for a pod of the folder (good for an hour).')
    .addArgument(new Argument('<pod>', 'NAMESPACE/POD').argParser(readNamespaced))
    .addHelpText('after', examples)
    .action((pod: NamespacedName, options: DevOptions) =>
      finish(async (surroundings) =>
        (await import('./print-token.ts')).printToken(pod, options, surroundings),
      ),
    );
