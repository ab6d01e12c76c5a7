import { resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { openScreen } from '@gatehouse/dev/demo/screen';
import { stepCount } from '@gatehouse/dev/demo/steps';
import { playStory } from '@gatehouse/dev/demo/story';
import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import type { DemoOptions } from './demo.ts';
import { tellRealStory } from './real-story.ts';

export const playDemo = async (options: DemoOptions, surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal, workingDirectory, interrupted } = surroundings;
  if (options.real === true) {
    return (await tellRealStory(surroundings.env, interrupted)) === 0 ? exitCode.ok : exitCode.failed;
  }
  const { kill } = options;
  if (kill !== undefined && kill.step > stepCount) {
    throw new GatehouseError(
      'invalid-argument',
      `--kill ${kill.service}@${kill.step}: there is no step ${kill.step}, use SERVICE@STEP with 1 to ${stepCount}`,
    );
  }
  const end = await playStory({
    stateRoot: resolve(workingDirectory, options.state ?? `${defaultStateDir}/demo`),
    screen: openScreen(terminal),
    interrupted,
    once: options.once === true,
    ...(kill === undefined ? {} : { kill }),
  });
  switch (end.kind) {
    case 'told':
      return exitCode.ok;
    case 'interrupted':
      // Ending a mesh that stays up is the usual way out; breaking off a story that should have a verdict is not.
      return options.once === true ? exitCode.failed : exitCode.ok;
    case 'failed':
      terminal.err(`${terminal.paint('red', `step ${end.step} failed:`)} ${end.reason}`);
      terminal.err(end.verdict);
      return exitCode.failed;
  }
};
