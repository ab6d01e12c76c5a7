import { serviceOfManyPods } from './many-endpoints.ts';
import { policiesOnOnePod } from './many-policies.ts';
import type { Scenario } from './scenario.ts';

/** What is large. */
export const sizes = (): readonly Scenario[] => [serviceOfManyPods(), policiesOnOnePod()];
