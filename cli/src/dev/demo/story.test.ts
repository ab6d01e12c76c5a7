import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { allKills, playKill } from '../kill-matrix.ts';

/** What the story promises, call by call, in the order it is told; POD stands for a pod's address. */
const promised = [
  'frontend > GET backend.demo:8080/: 403 denied',
  'frontend > GET POD:8080/: 403 denied',
  'frontend > GET backend.demo:8080/: 200 allowed',
  'frontend > GET backend.demo:8080/: 200 allowed',
  'frontend > GET POD:8080/: 200 allowed',
  'frontend > GET backend.demo:9000/: 403 denied',
  'intruder > GET backend.demo:8080/: 403 denied',
  "frontend's address, no certificate: 403 denied",
  "frontend's address, certificate of another root: refused",
  'frontend > GET backend.demo:9000/api/x: 200 allowed',
  'frontend > POST backend.demo:9000/api/x: 403 denied',
  'frontend > GET backend.demo:9000/admin: 403 denied',
  'frontend > GET backend.demo:9000/api/../admin: 403 denied',
  'intruder > GET backend.demo:9000/api/x: 403 denied',
  'frontend > GET backend.demo:9000/api/x: 403 denied',
  'frontend > GET backend.demo:9000/api/x (x-tenant: blue): 200 allowed',
  'frontend > GET backend.demo:9000/api/x: 404 no route',
  'frontend > POST backend.demo:9000/api/x (x-tenant: blue): 404 no route',
  'frontend > GET backend.demo:9000/admin (x-tenant: blue): 404 no route',
  'intruder > GET backend.demo:9000/api/x (x-tenant: blue): 403 denied',
  'frontend > GET backend.demo:8080/: 403 denied',
];

const withoutAddresses = (verdicts: readonly string[]): readonly string[] =>
  verdicts.map((verdict) => verdict.replace(/\b127(?:\.\d+){3}/, 'POD'));

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
  assert.deepEqual(withoutAddresses(run.verdicts), promised);
  assert.match(run.output, /still 127[\d.:]+->127/);
  for (const line of run.output.split('\n')) assert.ok(line.length <= 80, line);
  assert.ok(!run.output.includes('\x1b'), 'plain when not a terminal');
  const locks = (await readdir(run.state)).filter((name) => name.endsWith('.sock'));
  assert.deepEqual(locks, []);
  await rm(run.state, { recursive: true });
});

test('a service that is killed and started again changes no verdict', linux, async (t) => {
  assert.equal(allKills.length, 24);
  assert.equal(kills.length, 8);
  for (const kill of kills) {
    await t.test(kill, async () => {
      const run = await playKill(kill);
      assert.equal(run.exitCode, 0, run.output);
      assert.deepEqual(withoutAddresses(run.verdicts), promised, run.output);
      assert.match(run.output, /\(SIGKILL\)/);
    });
  }
});
