import { test } from 'node:test';
import { compareWithReality } from './fuzz/differential.ts';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import { withRealMesh } from './with-real-mesh.ts';

/** `npm run fuzz:mesh`: hundreds of random policies, and what the real proxy makes of them. */
const { env, platform } = process;
const skip = whyNoRealMesh({ platform, uid: process.geteuid?.(), env, isExecutable });
const runs = Number(env.GATEHOUSE_FUZZ_RUNS ?? 500);
const seed = Number(env.GATEHOUSE_FUZZ_SEED ?? Date.now() % 2 ** 31);

test(
  `the real proxy decides ${runs} random cases as evaluate does`,
  { skip: skip ?? false, timeout: 3_600_000 },
  (t) =>
    withRealMesh({ name: 'fuzz' }, async (mesh) => {
      t.diagnostic((await compareWithReality(mesh, { seed, runs })).told);
      return 'remove-logs';
    }),
);
