import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { Argument, Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { readPort } from '../../print/read-arguments.ts';

export interface ServeOptions {
  readonly dir?: string;
  readonly kubeconfig?: string;
  readonly state?: string;
  readonly host: string;
  readonly portBase?: number;
  readonly output: 'table' | 'json';
}

const examples = `
Examples:
  # all three services on a folder of manifests
  gatehouse serve --dir manifests
  # on a cluster that kubectl knows, on any free ports
  gatehouse serve --kubeconfig ~/.kube/config --port-base 0
  # identity alone
  gatehouse serve identity --dir manifests`;

/** `gatehouse serve`: the embedded default, all three services in one process; or just the one that is named. */
export const serveCommand = (finish: (run: Run) => void): Command =>
  new Command('serve')
    .description('Run the three services in this process, or one of them.')
    .addArgument(new Argument('[service]', 'run only this one').choices([...serviceNames]))
    .option('--dir <folder>', 'folder of manifests to watch (dev mode)')
    .addOption(new Option('--kubeconfig <file>', 'cluster to watch').conflicts('dir'))
    .option('--state <folder>', `state directory (default: ${defaultStateDir})`)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--port-base <port>',
      "identity's gRPC port; all others keep their distance; 0 = any free",
      readPort(0),
    )
    .addOption(
      new Option('-o, --output <format>', 'table, or one JSON line')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText('after', examples)
    .action((service: ServiceName | undefined, options: ServeOptions) => {
      finish(async (surroundings) => {
        const { serve } = await import('./run-services.ts');
        return serve(service === undefined ? serviceNames : [service], options, surroundings);
      });
    });
