import { Command } from 'commander';
import type { Run } from '../../cli.ts';

const examples = `
Examples:
  # what inject wrote, taken out of all Deployments of a namespace; apply rolls them
  kubectl get deploy -n demo -o yaml | gatehouse uninject - | kubectl apply -f -
  # the file as it was before inject, byte for byte
  gatehouse uninject injected.yaml > web.yaml`;

/** `gatehouse uninject`: manifests that were injected in, manifests without the proxy out. */
export const uninjectCommand = (finish: (run: Run) => void): Command =>
  new Command('uninject')
    .description('Take the proxy out of workloads: print manifests without what inject wrote into them.')
    .argument('<source...>', 'files, folders, URLs; - is stdin')
    .addHelpText('after', examples)
    .action((sources: readonly string[]) =>
      finish(async (surroundings) => (await import('./run-uninject.ts')).runUninject(sources, surroundings)),
    );
