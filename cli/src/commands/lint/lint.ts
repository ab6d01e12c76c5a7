import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';

export interface LintOptions {
  readonly namespace?: string;
  readonly ignore: readonly string[];
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # what the policies of a folder do not do, by the workloads beside them
  gatehouse lint manifests/
  # what a chart renders
  helm template web | gatehouse lint -
  # policies that are kept apart from the workloads that they are for
  gatehouse lint policies/ --ignore NoPodMatches --ignore NoSuchServiceAccount
  # for programs
  gatehouse lint manifests/ -o json`;

/** `gatehouse lint SOURCE`: the judgement of every policy object, without a mesh. */
export const lintCommand = (finish: (run: Run) => void): Command =>
  new Command('lint')
    .description(
      'Say what the policies of manifests would not do, and how to fix it. Exits with 1 if there is any.',
    )
    .argument('<source...>', 'files, folders, URLs; - is stdin')
    .option('-n, --namespace <ns>', 'say it of the policies of this namespace alone')
    .option(
      '--ignore <reason>',
      'leave out findings with this reason (docs/reference/findings.md); may be repeated',
      (reason: string, before: readonly string[]) => [...before, reason],
      [],
    )
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action((sources: string[], options: LintOptions) =>
      finish(async (surroundings) =>
        (await import('./lint-manifests.ts')).lintManifests(sources, options, surroundings),
      ),
    );
