import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';
import { identityIssuerCommand } from './issuer.ts';
import { identityListCommand } from './list.ts';
import { identityLogCommand } from './log.ts';
import { identityTrustBundleCommand } from './trust-bundle.ts';

export interface PodOptions extends ReachOptions {
  readonly namespace?: string;
  readonly selector?: string;
  readonly served?: true;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # the certificate of a pod, and how it is renewed
  gatehouse identity backend-0 -n demo
  # of all pods with a label, and what their proxies present
  gatehouse identity -l app=backend -n demo --served
  # what was issued in the last hour
  gatehouse identity list --since 1h`;

/** `gatehouse identity POD…` as Linkerd has it, and beside it what is not about one pod. */
export const identityCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('identity')
      .description("Show workloads' certificates, who signs them, and what is trusted.")
      // Otherwise the options of this command would be taken from behind its sub-commands, too.
      .enablePositionalOptions()
      .usage('[options] <pod...>\n       gatehouse identity list|issuer|trust-bundle|log [options]')
      .argument('[pod...]', 'NAME or NAMESPACE/NAME; a pod called `list` is NAMESPACE/list')
      .option('-n, --namespace <ns>', "the pods' namespace (default: the kubeconfig's, then default)")
      .option('-l, --selector <labels>', 'the pods with these labels, as app=web,tier!=db (needs a cluster)')
      .option('--served', "also show what the pods' proxies present, by port-forward (needs a cluster)")
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((names: readonly string[], options: PodOptions) =>
      finish(async (surroundings) => (await import('./show-pods.ts')).showPods(names, options, surroundings)),
    )
    .addCommand(identityListCommand(finish))
    .addCommand(identityIssuerCommand(finish))
    .addCommand(identityTrustBundleCommand(finish))
    .addCommand(identityLogCommand(finish));
