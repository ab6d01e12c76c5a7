import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { allKills, playKill } from './kill-matrix.ts';
import { promisedVerdicts, withoutAddresses } from './promised-verdicts.ts';

/** A third of the matrix, in the steps where each service has most to lose; `npm run demo:kill` plays all of it. */
const kills = [
  'identity@2',
  'identity@7',
  'destination@3',
  'destination@6',
  'policy@1',
  'policy@4',
  'policy@7',
  'policy@8',
];

const linux = process.platform === 'linux' ? {} : { skip: 'the reference proxy needs Linux' };

test('the story is told, verdict by verdict, and leaves only its state directory', linux, async () => {
  const run = await playKill(undefined, 'keep the state');
  assert.equal(run.exitCode, 0, run.output);
  assert.deepEqual(withoutAddresses(run.verdicts), promisedVerdicts);
  const { length } = promisedVerdicts;
  assert.match(run.output, new RegExp(`\\n${length} of ${length} as expected, in [\\d.]+ s\\n$`));
  assert.match(run.output, /still 127[\d.:]+->127/);
  for (const line of run.output.split('\n')) assert.ok(line.length <= 80, line);
  assert.doesNotMatch(run.output, /\[object|undefined/);
  assert.ok(!run.output.includes('\x1b'), 'plain when not a terminal');
  const locks = (await readdir(run.state)).filter((name) => name.endsWith('.sock'));
  assert.deepEqual(locks, []);
  await rm(run.state, { recursive: true });
});

test('the matrix has every service in every step', () => {
  assert.equal(allKills.length, 24);
  assert.ok(kills.every((kill) => allKills.includes(kill)));
});

// Tests of their own, not parts of one: each has its own time.
for (const kill of kills) {
  test(`a service that is killed and started again changes no verdict: ${kill}`, linux, async () => {
    const run = await playKill(kill);
    assert.equal(run.exitCode, 0, run.output);
    assert.deepEqual(withoutAddresses(run.verdicts), promisedVerdicts, run.output);
    assert.match(run.output, /\(SIGKILL\)/);
  });
}
