import { Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type AnnotationOptions, addAnnotationOptions } from './annotation-options.ts';

export interface InjectOptions {
  readonly namespace?: string;
  readonly enablePerNamespaceDefaults?: boolean;
  readonly manual?: boolean;
  readonly ingress?: boolean;
  readonly ignoreCluster?: boolean;
  readonly settings?: string;
  readonly trustAnchors?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly controlPlaneNamespace?: string;
}

const examples = `
Examples:
  # have the webhook inject all Deployments of a namespace; apply rolls them
  kubectl get deploy -n demo -o yaml | gatehouse inject - | kubectl apply -f -
  # a namespace whose pods all get a proxy and admit nobody by default, and the workloads already in it
  gatehouse inject --enable-per-namespace-defaults -n demo | kubectl apply -f -
  # manifests of a folder, with the sidecar itself written into them
  gatehouse inject --manual manifests/ | kubectl apply -f -
  # without a cluster
  gatehouse inject --manual --ignore-cluster --trust-anchors ca.crt web.yaml
  # take it out again
  gatehouse uninject web.yaml`;

/** `gatehouse inject`: manifests in, manifests with the mesh's proxy out. */
export const injectCommand = (finish: (run: Run) => void): Command =>
  addAnnotationOptions(
    new Command('inject')
      .description(
        'Add the proxy to workloads: print manifests with the annotation on which the webhook acts, or with the sidecar itself.',
      )
      .argument('[source...]', 'files, folders, URLs; - is stdin')
      .option(
        '-n, --namespace <ns>',
        "the namespace of objects that do not name one (default: the kubeconfig's)",
      )
      .option(
        '--enable-per-namespace-defaults',
        'print the namespace of -n so that its new pods are injected and admit nobody by default, and its workloads',
      )
      .option('--manual', 'write the sidecar itself, for clusters without the webhook')
      .option('--ingress', 'ingress mode: the proxy routes by the host that a request names')
      .optionsGroup('Which mesh:')
      .option('--kubeconfig <file>', "a cluster's (default: KUBECONFIG, then ~/.kube/config)")
      .option('--context <name>', "the kubeconfig's context (default: its current one)")
      .option(
        '--control-plane-namespace <ns>',
        'where the control plane runs (default: GATEHOUSE_NAMESPACE, then gatehouse)',
      )
      .addOption(
        new Option('--ignore-cluster', 'ask no cluster; the defaults of an installation hold').conflicts([
          'kubeconfig',
          'context',
        ]),
      )
      .option(
        '--settings <file>',
        'the settings of injection, JSON (default: ConfigMap gatehouse-config, proxy.json)',
      )
      .option(
        '--trust-anchors <file>',
        'the roots of the mesh, PEM (default: ConfigMap gatehouse-trust-roots)',
      ),
  )
    .addHelpText('after', examples)
    .action((sources: readonly string[], options: InjectOptions & AnnotationOptions) =>
      finish(async (surroundings) =>
        (await import('./run-inject.ts')).runInject(sources, options, surroundings),
      ),
    );
