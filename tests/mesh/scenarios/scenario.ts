import type { RealMesh } from '../rig/real-mesh.ts';
import type { Observer, View } from './observer.ts';

export interface Scenario {
  /** Its part of the table; rate limits, gRPC routes, splits, retries and egress will have theirs. */
  readonly part:
    | 'seed'
    | 'who'
    | 'what'
    | 'profile'
    | 'change'
    | 'audit'
    | 'time'
    | 'failure'
    | 'size'
    | 'cluster'
    | 'differential';
  /** A sentence about behaviour. */
  readonly title: string;
  /** Views that cannot exist here, each with its reason. All others must be asserted on, or the scenario fails. */
  readonly without?: Readonly<Partial<Record<View, string>>>;
  /**
   * Throws where the mesh does not behave so; answers what was measured, if anything, for the table. What was seen of each
   * side is asserted through `observer`, which counts it.
   */
  run(mesh: RealMesh, observer: Observer): Promise<string | undefined>;
}
