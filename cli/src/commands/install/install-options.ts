import { type Command, Option } from 'commander';

/** How an installation is described on a command line. */
export interface ValueOptions {
  readonly set?: readonly string[];
  readonly values?: readonly string[];
  readonly ha?: true;
  readonly identityTrustAnchorsFile?: string;
  readonly identityIssuerCertificateFile?: string;
  readonly identityIssuerKeyFile?: string;
}

/** Which cluster it is for. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly controlPlaneNamespace?: string;
}

export type ManifestFormat = 'yaml' | 'json';

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export const addValueOptions = (command: Command): Command =>
  command
    .optionsGroup('What is installed:')
    .option('--set <path=value>', 'one value, such as replicas=3; may be repeated', collect)
    .option('-f, --values <file>', 'YAML file of values, or -; may be repeated, later files win', collect)
    .option('--ha', 'the same as --set highAvailability=true')
    .optionsGroup('With which certificates (docs/install.md):')
    .option('--identity-trust-anchors-file <file>', 'the roots that the mesh trusts, PEM')
    .option('--identity-issuer-certificate-file <file>', 'the CA certificate that signs workloads, PEM')
    .option('--identity-issuer-key-file <file>', 'its private key, PEM');

export const addClusterOptions = (command: Command): Command =>
  command
    .optionsGroup('Which cluster it is for:')
    .option('--kubeconfig <file>', "a cluster's (default: KUBECONFIG, then ~/.kube/config)")
    .option('--context <name>', "the kubeconfig's context (default: its current one)")
    .option(
      '--control-plane-namespace <ns>',
      'where the control plane runs, and the value `namespace` (default: GATEHOUSE_NAMESPACE, then gatehouse)',
    );

export const manifestFormat = (): Option =>
  new Option('-o, --output <format>', 'yaml, or one json List').choices(['yaml', 'json']).default('yaml');
