import { compareWithReality } from '../fuzz/differential.ts';
import type { Scenario } from './scenario.ts';

/** A fixed few of what `npm run fuzz:mesh` runs by the hundred. */
export const differential = (): readonly Scenario[] => [
  {
    part: 'differential',
    title: 'random policies and requests are decided as evaluate says, in outcome and metric labels',
    run: (mesh) => compareWithReality(mesh, { seed: 20_260_821, runs: 50 }),
  },
];
