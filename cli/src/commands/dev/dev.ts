import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { devApiServerCommand } from './api-server.ts';
import { devCertifyCommand } from './certify.ts';
import { devTokenCommand } from './token.ts';
import { devWatchCommand } from './watch.ts';

const examples = `
Examples:
  # what the proxy of a pod is told about a port
  gatehouse dev watch demo/backend-0 8080
  # a certificate, as the pod's proxy obtains it
  gatehouse dev certify demo/frontend-0
  # a Kubernetes API without a cluster
  gatehouse dev api-server --dir manifests`;

/** `gatehouse dev`: the smallest clients, for people who want to see what a proxy sees. */
export const devCommand = (finish: (run: Run) => void): Command =>
  new Command('dev')
    .addHelpText('after', examples)
    .description('Talk to the services of a state directory as a pod would.')
    .addCommand(devTokenCommand(finish))
    .addCommand(devCertifyCommand(finish))
    .addCommand(devWatchCommand(finish))
    .addCommand(devApiServerCommand(finish));
