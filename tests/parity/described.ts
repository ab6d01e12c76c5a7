import { probesBesideRoutes } from './compare.ts';
import { destinationDifferences } from './destination/differences.ts';
import { destinationToldApart } from './destination/told-apart.ts';
import { type Described, differences } from './differences.ts';
import { toldApart } from './told-apart.ts';

/** Every difference that is meant, wherever it is told apart. */
export const described: readonly Described[] = [
  ...differences,
  probesBesideRoutes,
  ...toldApart,
  ...destinationDifferences,
  ...destinationToldApart,
];
