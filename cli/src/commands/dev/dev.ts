import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { devApiServerCommand } from './api-server.ts';
import { devCertifyCommand } from './certify.ts';
import { devTokenCommand } from './token.ts';
import { devWatchCommand } from './watch.ts';

/** `gatehouse dev`: the smallest clients, for people who want to see what a proxy sees. */
export const devCommand = (finish: (run: Run) => void): Command =>
  new Command('dev')
    .description('Talk to the services of a state directory as a pod would.')
    .addCommand(devTokenCommand(finish))
    .addCommand(devCertifyCommand(finish))
    .addCommand(devWatchCommand(finish))
    .addCommand(devApiServerCommand(finish));
