import { Argument, Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import type { PolicyReach } from '../../reach/policy-answers.ts';
import { addPolicyReachOptions } from '../../reach/reach-options.ts';

export interface PolicyOptions extends PolicyReach {
  readonly namespace?: string;
  readonly allNamespaces?: true;
  readonly selector?: string;
  readonly watch?: true;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # every workload: enforced or not and why, and whom its ports admit
  gatehouse policy -n demo
  # those with a label, of every namespace
  gatehouse policy -A -l 'app in (frontend,backend)'
  # what governs each port of a pod
  gatehouse policy backend-0 -n demo
  # one port in full: who is admitted, to what, by which object
  gatehouse policy demo/backend-0 8080
  # the same by the port's name, and then every change of it
  gatehouse policy deploy/backend http -n demo -w
  # what a folder of manifests would have in force, without a mesh
  gatehouse policy -A --dir manifests`;

/** `gatehouse policy [WORKLOAD [PORT]]`: what is in force. */
export const policyCommand = (finish: (run: Run) => void): Command =>
  addPolicyReachOptions(
    new Command('policy')
      .description('Show what is in force on workloads and their ports, and which objects did that.')
      .addArgument(
        new Argument(
          '[workload]',
          'POD, NAMESPACE/POD, deploy/NAME, sts/NAME, ds/NAME or externalworkload/NAME; default: all',
        ),
      )
      .addArgument(new Argument('[port]', 'a number, or the name of a declared port'))
      .option('-n, --namespace <ns>', "the workload's namespace (default: the kubeconfig's, then default)")
      .addOption(
        new Option('-A, --all-namespaces', 'without a workload: of every namespace').conflicts('namespace'),
      )
      .option('-l, --selector <labels>', 'without a workload: of these labels, as kubectl writes it')
      .option('-w, --watch', 'go on, and print what changes')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((workload: string | undefined, port: string | undefined, options: PolicyOptions) =>
      finish(async (surroundings) =>
        (await import('./show-policy.ts')).showPolicy({ workload, port, options }, surroundings),
      ),
    );
