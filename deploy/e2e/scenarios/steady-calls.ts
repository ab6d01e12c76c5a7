import assert from 'node:assert/strict';
import type { Pod } from '../rig/pod.ts';
import type { Stage } from './stage.ts';

/** One call every so often over a kept connection, and one in new connections: both to a target that is in use. */
const rates = { keptEveryMs: 10, newEveryMs: 100 } as const;

/** Calls the Service's port 8080 all the while; throws if a single call is not answered with 200. Answers how many there were. */
export const callsUnder = async (
  stage: Stage,
  frontend: Pod,
  during: () => Promise<void>,
): Promise<number> => {
  const kept = stage.toService(8080, { connection: 'kept' });
  await frontend.hand.ask({ kind: 'load', name: 'kept', call: kept, everyMs: rates.keptEveryMs });
  await frontend.hand.ask({
    kind: 'load',
    name: 'new',
    call: stage.toService(8080),
    everyMs: rates.newEveryMs,
  });
  await during();
  let calls = 0;
  for (const name of ['kept', 'new']) {
    const { outcomes, reasons } = await frontend.hand.ask({ kind: 'end-load', name });
    assert.deepEqual(Object.keys(outcomes), ['200'], `${name} connections: ${reasons.join('; ')}`);
    calls += outcomes['200'] ?? 0;
  }
  return calls;
};
