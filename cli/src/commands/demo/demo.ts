import { resolve } from 'node:path';
import { openScreen } from '@gatehouse/dev/demo/screen';
import { stepCount } from '@gatehouse/dev/demo/steps';
import { playStory, type StoryOptions } from '@gatehouse/dev/demo/story';
import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Run, Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { tellRealStory } from './real-story.ts';

type Kill = NonNullable<StoryOptions['kill']>;

interface DemoOptions {
  readonly once?: true;
  readonly real?: true;
  readonly kill?: Kill;
  readonly state?: string;
}

const readKill = (text: string): Kill => {
  const [name, at, ...rest] = text.split('@');
  const service = serviceNames.find((one) => one === name);
  const step = /^\d$/.test(at ?? '') ? Number(at) : 0;
  if (service === undefined || step < 1 || step > stepCount || rest.length > 0) {
    throw new InvalidArgumentError(`Use SERVICE@STEP with ${serviceNames.join(', ')} and 1 to ${stepCount}.`);
  }
  return { service, step };
};

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
    .action((options: DemoOptions) => finish((surroundings) => demo(options, surroundings)));

const demo = async (options: DemoOptions, surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal, workingDirectory, interrupted } = surroundings;
  if (options.real === true) {
    return (await tellRealStory(surroundings.env, interrupted)) === 0 ? exitCode.ok : exitCode.failed;
  }
  const end = await playStory({
    stateRoot: resolve(workingDirectory, options.state ?? `${defaultStateDir}/demo`),
    screen: openScreen(terminal),
    interrupted,
    once: options.once === true,
    ...(options.kill === undefined ? {} : { kill: options.kill }),
  });
  switch (end.kind) {
    case 'told':
      return exitCode.ok;
    case 'interrupted':
      // Ending a mesh that stays up is the usual way out; breaking off a story that should have a verdict is not.
      return options.once === true ? exitCode.failed : exitCode.ok;
    case 'failed':
      terminal.err(`${terminal.paint('red', `step ${end.step} failed:`)} ${end.reason}`);
      return exitCode.failed;
  }
};
