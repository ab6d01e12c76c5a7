import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import type { PolicyReach } from '../../reach/policy-answers.ts';
import { addPolicyReachOptions } from '../../reach/reach-options.ts';

export interface ResolveOptions extends PolicyReach {
  readonly namespace?: string;
  readonly from?: string;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # where calls to a Service go, and which of its pods are left out and why
  gatehouse endpoints backend:8080 -n demo
  # the same for one client: its node and zone decide
  gatehouse endpoints backend.demo:8080 --from demo/frontend-0
  # one instance of a headless Service
  gatehouse endpoints db-0.db.demo.svc.cluster.local:5432
  # what a folder of manifests would give, without a mesh
  gatehouse endpoints backend -n demo --dir manifests`;

/** `gatehouse endpoints AUTHORITY`: what Get tells a client, and what it leaves out. */
export const endpointsCommand = (finish: (run: Run) => void): Command =>
  addPolicyReachOptions(
    new Command('endpoints')
      .description(
        'Show where calls to a Service go, how each endpoint is reached, and what is left out and why.',
      )
      .argument(
        '<authority>',
        'NAME, NAME.NAMESPACE or the full name of a Service, with :PORT if it has several',
      )
      .option('-n, --namespace <ns>', "the Service's namespace (default: the kubeconfig's, then default)")
      .option('--from <pod>', 'the pod that calls, NAME or NAMESPACE/NAME (default: nowhere in particular)')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((authority: string, options: ResolveOptions) =>
      finish(async (surroundings) =>
        (await import('./show-endpoints.ts')).showEndpoints(authority, options, surroundings),
      ),
    );
