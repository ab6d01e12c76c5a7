import { Argument, Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import type { PolicyReach } from '../../reach/policy-answers.ts';
import { addPolicyReachOptions } from '../../reach/reach-options.ts';

export interface AuthzOptions extends PolicyReach {
  readonly namespace?: string;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # who may call each port of a pod, and why
  gatehouse authz backend-0 -n demo
  # all pods of a Deployment, those that differ one after the other
  gatehouse authz deploy/backend -n demo
  # a workload outside the cluster
  gatehouse authz externalworkload/vm-1 -n demo
  # whole names and every address
  gatehouse authz demo/backend-0 -o wide
  # as a folder of manifests would have it, without a mesh
  gatehouse authz demo/backend-0 --dir manifests`;

/** `gatehouse authz WORKLOAD`: all who may call it, by port, and why. */
export const authzCommand = (finish: (run: Run) => void): Command =>
  addPolicyReachOptions(
    new Command('authz')
      .description('Show who may call a workload, by port, and which policy admits them.')
      .addArgument(
        new Argument(
          '<workload>',
          'POD, NAMESPACE/POD, deploy/NAME, sts/NAME, ds/NAME or externalworkload/NAME',
        ),
      )
      .option('-n, --namespace <ns>', "the workload's namespace (default: the kubeconfig's, then default)")
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((workload: string, options: AuthzOptions) =>
      finish(async (surroundings) =>
        (await import('./show-clients.ts')).showClients(workload, options, surroundings),
      ),
    );
