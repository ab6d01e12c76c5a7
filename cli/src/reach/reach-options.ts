import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { type Command, Option } from 'commander';

/** How a command that asks a service was told where the service is. */
export interface ReachOptions {
  readonly address?: string;
  readonly caFile?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly controlPlaneNamespace?: string;
}

/** Adds the options that say which mesh is asked, under a heading of their own: every command that asks a service has them. */
export const addReachOptions = (command: Command): Command =>
  command
    .optionsGroup('Which mesh is asked:')
    .option('--kubeconfig <file>', "a cluster's (default: KUBECONFIG, then ~/.kube/config)")
    .option('--context <name>', "the kubeconfig's context (default: its current one)")
    .option(
      '--control-plane-namespace <ns>',
      'where the control plane runs (default: GATEHOUSE_NAMESPACE, then gatehouse)',
    )
    .addOption(
      new Option(
        '--state <folder>',
        `a running \`gatehouse serve\` (default: ${defaultStateDir}, if one runs there)`,
      ).conflicts(['kubeconfig', 'context']),
    )
    .addOption(
      new Option('--address <url>', "the service's admin port itself").conflicts([
        'kubeconfig',
        'context',
        'state',
      ]),
    )
    .option('--ca-file <file>', 'with an https --address: the trust anchors of the mesh, PEM')
    .addOption(new Option('--token <token>', 'bearer token to be known by').conflicts('tokenFile'))
    .option('--token-file <file>', 'file that holds the bearer token');

/** Where a command that asks about policy finds it: as every command that asks a service, or in a folder. */
export const addPolicyReachOptions = (command: Command): Command =>
  addReachOptions(command).addOption(
    new Option('--dir <folder>', 'no mesh: a folder of manifests, read as `gatehouse serve` would').conflicts(
      ['kubeconfig', 'context', 'state', 'address', 'token', 'tokenFile'],
    ),
  );
