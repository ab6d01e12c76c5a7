import { Argument, Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import type { PolicyReach } from '../../reach/policy-answers.ts';
import { addPolicyReachOptions } from '../../reach/reach-options.ts';

export interface AuthzOptions extends PolicyReach {
  readonly namespace?: string;
  readonly allNamespaces?: true;
  readonly selector?: string;
  readonly audit?: true;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # who may call each port of a pod, and why
  gatehouse authz backend-0 -n demo
  # all pods of a Deployment, those that differ one after the other
  gatehouse authz deploy/backend -n demo
  # all workloads with a label
  gatehouse authz -l app=backend -n demo
  # and of every namespace
  gatehouse authz -A -l app=backend
  # a workload outside the cluster
  gatehouse authz externalworkload/vm-1 -n demo
  # who would be admitted, and who refused, if policies with mode Audit were enforced
  gatehouse authz deploy/backend -n demo --audit
  # whole names and every address
  gatehouse authz demo/backend-0 -o wide
  # as a folder of manifests would have it, without a mesh
  gatehouse authz demo/backend-0 --dir manifests`;

/** `gatehouse authz WORKLOAD | -l SELECTOR | -A`: all who may call it, by port, and why. */
export const authzCommand = (finish: (run: Run) => void): Command =>
  addPolicyReachOptions(
    new Command('authz')
      .description('Show who may call a workload, by port, and which policy admits them.')
      .addArgument(
        new Argument(
          '[workload]',
          'POD, NAMESPACE/POD, deploy/NAME, sts/NAME, ds/NAME or externalworkload/NAME',
        ),
      )
      .option('-n, --namespace <ns>', "the workload's namespace (default: the kubeconfig's, then default)")
      .addOption(
        new Option('-A, --all-namespaces', 'instead of a workload: all of every namespace').conflicts(
          'namespace',
        ),
      )
      .option('-l, --selector <labels>', 'instead of a workload: all with these labels, as kubectl writes it')
      .option('--audit', 'only ports with Audit policies: who may call now, and who if they were enforced')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((workload: string | undefined, options: AuthzOptions) =>
      finish(async (surroundings) =>
        (await import('./show-clients.ts')).showClients(workload, options, surroundings),
      ),
    );
