import { issuerRotation } from './issuer-rotation.ts';
import { leafRotation } from './leaf-rotation.ts';
import { proxyRestart } from './proxy-restart.ts';
import type { Scenario } from './scenario.ts';

/** What only time brings. */
export const passagesOfTime = (): readonly Scenario[] => [leafRotation(), issuerRotation(), proxyRestart()];
