import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from '../../cli.ts';

/** Of the steps that the story has, `playDemo` knows. */
export interface Kill {
  readonly service: ServiceName;
  readonly step: number;
}

export interface DemoOptions {
  readonly once?: true;
  readonly real?: true;
  readonly kill?: Kill;
  readonly state?: string;
}

const readKill = (text: string): Kill => {
  const [name, at, ...rest] = text.split('@');
  const service = serviceNames.find((one) => one === name);
  const step = /^\d$/.test(at ?? '') ? Number(at) : 0;
  if (service === undefined || step < 1 || rest.length > 0) {
    throw new InvalidArgumentError(
      `Use SERVICE@STEP with ${serviceNames.join(', ')} and the number of a step.`,
    );
  }
  return { service, step };
};

const examples = `
Examples:
  # the story, and then the mesh to try by hand
  gatehouse demo
  # end after the story; the exit code says whether it went well
  gatehouse demo --once
  # the same while a service is killed in the third step
  gatehouse demo --once --kill policy@3`;

/** `gatehouse demo`: plays the seed's story on this machine and leaves the mesh up to try (design §11). */
export const demoCommand = (finish: (run: Run) => void): Command =>
  new Command('demo')
    .description('Watch a zero-trust mesh decide, on this machine.')
    .option('--once', 'end after the story; exit 1 if a step failed')
    .addOption(
      new Option('--kill <service@step>', 'kill a service there and start it again').argParser(readKill),
    )
    .addOption(
      new Option(
        '--real',
        'with real proxies in network namespaces; needs root and LINKERD2_PROXY_BIN',
      ).conflicts(['kill', 'state']),
    )
    .option('--state <folder>', `state directory (default: ${defaultStateDir}/demo)`)
    .addHelpText('after', examples)
    .action((options: DemoOptions) =>
      finish(async (surroundings) => (await import('./play-demo.ts')).playDemo(options, surroundings)),
    );
