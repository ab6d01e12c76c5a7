import { serviceNames } from '../rig/control-plane.ts';
import { killed, newTarget } from './outage.ts';
import type { Scenario } from './scenario.ts';
import { staleBeyondBound, stalledSource } from './stalled-source.ts';

/** Each service killed and started again later, and the source of all of them stalled. */
export const failures = (): readonly Scenario[] => [
  ...serviceNames.map(killed),
  newTarget('policy'),
  newTarget('destination'),
  stalledSource(),
  staleBeyondBound('hold'),
  staleBeyondBound('deny'),
];
