import { Command } from 'commander';
import type { Run } from '../cli.ts';
import { devApiServerCommand } from './dev-api-server.ts';
import { devCertifyCommand } from './dev-certify.ts';
import { devTokenCommand } from './dev-token.ts';
import { devWatchCommand } from './dev-watch.ts';

/** `gatehouse dev`: the smallest clients, for people who want to see what a proxy sees. */
export const devCommand = (finish: (run: Run) => void): Command =>
  new Command('dev')
    .description('Talk to the services of a state directory as a pod would.')
    .addCommand(devTokenCommand(finish))
    .addCommand(devCertifyCommand(finish))
    .addCommand(devWatchCommand(finish))
    .addCommand(devApiServerCommand(finish));
