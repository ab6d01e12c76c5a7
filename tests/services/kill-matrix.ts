import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execPath, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { stepCount } from '@gatehouse/dev/demo/steps';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';

/** One run of the story in which a service is killed, such as `policy@4`. */
export interface KillRun {
  readonly kill: string;
  readonly exitCode: number | null;
  /** The calls and their verdicts, without times and addresses: the same for every run, or something gave way. */
  readonly verdicts: readonly string[];
  readonly output: string;
  /** Where its state was; it is kept when the run failed, or when that was asked for. */
  readonly state: string;
  readonly seconds: number;
}

export const allKills: readonly string[] = serviceNames.flatMap((service) =>
  Array.from({ length: stepCount }, (_, step) => `${service}@${step + 1}`),
);

const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const longestRunMs = 180_000;

/** Plays the story once in a process of its own, on a state directory of its own; `undefined` = nothing is killed. */
export const playKill = async (kill: string | undefined, after?: 'keep the state'): Promise<KillRun> => {
  const state = await mkdtemp(join(tmpdir(), 'gatehouse-kill-'));
  const started = performance.now();
  const child = spawn(
    execPath,
    [main, 'demo', '--once', '--state', state, ...(kill === undefined ? [] : ['--kill', kill])],
    { stdio: ['ignore', 'pipe', 'pipe'], signal: AbortSignal.timeout(longestRunMs), env: {} },
  );
  child.on('error', () => undefined);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0 && after === undefined) await rm(state, { recursive: true, force: true });
  return {
    kill: kill ?? 'nothing',
    exitCode: code,
    verdicts: output.split('\n').flatMap(verdictOf),
    output,
    state,
    seconds: (performance.now() - started) / 1000,
  };
};

/** `ok frontend > GET backend.demo:8080/   200 allowed` is a verdict; a pod's address stands for itself. */
export const verdictOf = (line: string): readonly string[] => {
  const match = /^ {2}(?:ok|!!) (.+?) {2,}(\d{3} [\w ]+|refused)$/.exec(line);
  return match === null ? [] : [`${match[1]}: ${match[2]}`];
};

const report = (run: KillRun, expected: readonly string[]): boolean => {
  const same = run.exitCode === 0 && JSON.stringify(run.verdicts) === JSON.stringify(expected);
  stdout.write(`${same ? 'same' : 'DIFF'}  ${run.kill.padEnd(14)} ${run.seconds.toFixed(1).padStart(6)} s\n`);
  if (!same) stdout.write(`${run.output}\n`);
  return same;
};

/** `node kill-matrix.ts [SERVICE@STEP …]`: the whole matrix, or the runs that are named; exit 1 if one gave other verdicts. */
const runMatrix = async (kills: readonly string[]): Promise<number> => {
  const plain = await playKill(undefined);
  if (plain.exitCode !== 0 || plain.verdicts.length === 0) {
    stdout.write(`${plain.output}\nthe story fails even when nothing is killed\n`);
    return 1;
  }
  stdout.write(`${plain.verdicts.length} verdicts when nothing is killed; each run must give the same\n`);
  let same = 0;
  for (const kill of kills) if (report(await playKill(kill), plain.verdicts)) same += 1;
  stdout.write(`${same} of ${kills.length} runs gave the same verdicts\n`);
  return same === kills.length ? 0 : 1;
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const named = argv.slice(2);
  exit(await runMatrix(named.length === 0 ? allKills : named));
}
