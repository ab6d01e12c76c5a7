import type { RealMesh } from '../rig/real-mesh.ts';

export interface Scenario {
  /** Its part of the table; rate limits, audit, gRPC routes, splits, retries and egress will have theirs. */
  readonly part: 'seed' | 'who' | 'what' | 'change' | 'time' | 'failure' | 'size' | 'differential';
  /** A sentence about behaviour. */
  readonly title: string;
  /** Throws where the mesh does not behave so; answers what was measured, if anything, for the table. */
  run(mesh: RealMesh): Promise<string | undefined>;
}
