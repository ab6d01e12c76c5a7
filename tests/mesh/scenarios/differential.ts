import assert from 'node:assert/strict';
import { compareWithReality } from '../fuzz/differential.ts';
import { views } from './observer.ts';
import type { Scenario } from './scenario.ts';

/** A fixed few of what `npm run fuzz:mesh` runs by the hundred. */
export const differential = (): readonly Scenario[] => [
  {
    part: 'differential',
    title: 'random policies and requests are decided as evaluate says, in outcome and metric labels',
    run: async (mesh, observer) => {
      const { attempts, told } = await compareWithReality(mesh, { seed: 20_260_821, runs: 50 });
      // Every attempt was looked at from each side; a difference on any of them has thrown.
      for (const view of views) observer.check(view, () => assert.equal(attempts, 600));
      return told;
    },
  },
];
