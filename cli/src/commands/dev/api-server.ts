import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { readPort } from '../../print/read-arguments.ts';

export interface ApiServerOptions {
  readonly dir?: string;
  readonly port: number;
  readonly kubeconfig?: string;
  readonly tls?: true;
}

const examples = `
Examples:
  # begin with a folder of manifests; kubectl takes the kubeconfig that is written
  gatehouse dev api-server --dir manifests --kubeconfig dev.kubeconfig
  # TLS, on a port of its own
  gatehouse dev api-server --tls --port 6443`;

/** `gatehouse dev api-server`: a Kubernetes API without a cluster, for kubectl and for services on a kubeconfig. */
export const devApiServerCommand = (finish: (run: Run) => void): Command =>
  new Command('api-server')
    .description('Serve the Kubernetes API of the watched kinds from memory, on loopback, until interrupted.')
    .option(
      '--dir <folder>',
      'folder of manifests to begin with, CRDs among them; its workloads have their pods',
    )
    .option('--port <port>', 'port to listen on; 0 = any free', readPort(0), 0)
    .option('--kubeconfig <file>', 'where to write the kubeconfig (default: a temporary file)')
    .option('--tls', 'serve TLS instead of plain HTTP')
    .addHelpText('after', examples)
    .action((options: ApiServerOptions) =>
      finish(async (surroundings) =>
        (await import('./run-api-server.ts')).runApiServer(options, surroundings),
      ),
    );
