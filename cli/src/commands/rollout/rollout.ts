import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { rolloutStatusCommand } from './status.ts';

const examples = `
Examples:
  # on how many proxies a policy is in force
  gatehouse rollout status nap/frontend-can-talk-to-backend -n demo`;

/** `gatehouse rollout`: how far a change of policy has come. */
export const rolloutCommand = (finish: (run: Run) => void): Command =>
  new Command('rollout')
    .addHelpText('after', examples)
    .description('Follow a change of policy to the proxies.')
    .addCommand(rolloutStatusCommand(finish));
