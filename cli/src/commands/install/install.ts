import { Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import {
  addClusterOptions,
  addValueOptions,
  type ClusterOptions,
  type ManifestFormat,
  manifestFormat,
  type ValueOptions,
} from './install-options.ts';

export interface InstallOptions extends ValueOptions, ClusterOptions {
  readonly crds?: true;
  readonly skipCrds?: true;
  readonly ignoreCluster?: true;
  readonly output: ManifestFormat;
}

const examples = `
Examples:
  # everything, with a trust root that is made now
  gatehouse install | kubectl apply -f -
  # three replicas of each service, on different nodes
  gatehouse install --ha | kubectl apply -f -
  # values one by one, or from files; docs/reference/values.md lists them all
  gatehouse install --set defaultInboundPolicy=all-authenticated -f values.yaml | kubectl apply -f -
  # the kinds of policies first, applied by a cluster-admin
  gatehouse install --crds | kubectl apply -f -
  gatehouse install --skip-crds | kubectl apply -f -
  # with certificates of your own
  gatehouse install --identity-trust-anchors-file ca.crt \\
    --identity-issuer-certificate-file issuer.crt --identity-issuer-key-file issuer.key | kubectl apply -f -
  # with an issuer that cert-manager writes to the Secret gatehouse-issuer
  gatehouse install --set identity.issuer.scheme=kubernetes.io/tls --identity-trust-anchors-file ca.crt`;

/** `gatehouse install`: prints the manifests of an installation. */
export const installCommand = (finish: (run: Run) => void): Command =>
  addClusterOptions(
    addValueOptions(
      new Command('install').description(
        'Print the manifests of the control plane, for kubectl apply. Over a running one, its trust root is kept.',
      ),
    )
      .optionsGroup('What is printed:')
      .addOption(new Option('--crds', 'only the CustomResourceDefinitions').conflicts('skipCrds'))
      .option('--skip-crds', 'all but the CustomResourceDefinitions')
      .option('--ignore-cluster', 'do not look for a running control plane: make a new trust root')
      .addOption(manifestFormat()),
  )
    .addHelpText('after', examples)
    .action((options: InstallOptions) =>
      finish(async (surroundings) =>
        (await import('./print-install.ts')).printInstall(options, surroundings),
      ),
    );
