import { Argument, Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { type NamespacedName, readNamespaced } from '../../print/read-arguments.ts';
import { addDevOptions, type DevOptions } from './dev-options.ts';

export interface CertifyOptions extends DevOptions {
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # the certificate as a reader sees it
  gatehouse dev certify demo/frontend-0
  # for programs
  gatehouse dev certify demo/frontend-0 -o json`;

/** `gatehouse dev certify NS/POD`: obtains a certificate as the pod's proxy would, with a key of its own, and shows it. */
export const devCertifyCommand = (finish: (run: Run) => void): Command =>
  addDevOptions(new Command('certify'))
    .description('Obtain a certificate as a pod of the folder would, and show it.')
    .addArgument(new Argument('<pod>', 'NAMESPACE/POD').argParser(readNamespaced))
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action((pod: NamespacedName, options: CertifyOptions) =>
      finish(async (surroundings) =>
        (await import('./certify-pod.ts')).certifyPod(pod, options, surroundings),
      ),
    );
