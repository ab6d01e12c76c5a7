import { Argument, Command } from 'commander';
import type { Run } from '../../cli.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const examples = `
Examples:
  # for every bash to come, where bash-completion looks
  gatehouse completion bash > ~/.local/share/bash-completion/completions/gatehouse
  # for every zsh to come, where that is a folder of its fpath
  gatehouse completion zsh > ~/.zfunc/_gatehouse
  # for every fish to come
  gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish`;

/** `gatehouse completion SHELL`: prints what makes a shell complete commands, options and their values. */
export const completionCommand = (finish: (run: Run) => void): Command =>
  new Command('completion')
    .description('Print what makes a shell complete commands, options and their values.')
    .addArgument(new Argument('<shell>', 'which shell').choices([...shells]))
    .addHelpText('after', examples)
    .action((shell: Shell) =>
      finish(async ({ terminal }) => {
        const { scripts } = await import('./scripts.ts');
        terminal.out(scripts[shell]);
        return (await import('../../exit-code.ts')).exitCode.ok;
      }),
    );

/** `gatehouse __complete -- WORD…`: what the scripts ask; the last word is the one to complete, and may be empty. */
export const completeCommand = (finish: (run: Run) => void): Command =>
  new Command('__complete')
    .option('--kubectl', 'end as kubectl expects it of a plugin')
    .argument('[word...]')
    .action((words: readonly string[], { kubectl }: { readonly kubectl?: true }, command: Command) =>
      finish(async (surroundings) =>
        (await import('./print-candidates.ts')).printCandidates(
          command.parent ?? command,
          { words, forKubectl: kubectl === true },
          surroundings,
        ),
      ),
    );
