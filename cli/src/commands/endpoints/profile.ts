import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { outputOption } from '../../print/output-option.ts';
import { addPolicyReachOptions } from '../../reach/reach-options.ts';
import type { ResolveOptions } from './endpoints.ts';

const examples = `
Examples:
  # what a proxy is told of a Service: opaque or not, and what a ServiceProfile says of its requests
  gatehouse profile backend:8080 -n demo
  # as a client of another namespace is told, whose ServiceProfiles go first
  gatehouse profile backend.demo:8080 --from shop/cart-0
  # whose an address is, and how it is reached
  gatehouse profile 10.1.0.7:8080`;

/** `gatehouse profile AUTHORITY`: what GetProfile tells a client. */
export const profileCommand = (finish: (run: Run) => void): Command =>
  addPolicyReachOptions(
    new Command('profile')
      .description(
        'Show what a proxy is told of a Service or an address: opaque or not, routes, retries, endpoint.',
      )
      .argument('<authority>', 'a Service as for `gatehouse endpoints`, or IP:PORT')
      .option('-n, --namespace <ns>', "the Service's namespace (default: the kubeconfig's, then default)")
      .option('--from <pod>', 'the pod that calls, NAME or NAMESPACE/NAME (default: nowhere in particular)')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((authority: string, options: ResolveOptions) =>
      finish(async (surroundings) =>
        (await import('./show-profile.ts')).showProfile(authority, options, surroundings),
      ),
    );
