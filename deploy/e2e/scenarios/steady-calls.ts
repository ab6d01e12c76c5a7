import assert from 'node:assert/strict';
import type { Call, Tally } from '../hand/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { expectOutcome } from './expectations.ts';
import type { Stage } from './stage.ts';

/** Two hundred a second over kept connections, HTTP/1 and HTTP/2 in equal parts, and ten in new ones: all to a target in use. */
const loads: Readonly<Record<string, { readonly everyMs: number; readonly call: Partial<Call> }>> = {
  'kept HTTP/1': { everyMs: 10, call: { connection: 'kept-1' } },
  'kept HTTP/2': { everyMs: 10, call: { connection: 'kept-2', speaks: 'http2' } },
  'new HTTP/1': { everyMs: 100, call: {} },
};

/** Calls the Service's port 8080 all the while; throws if a single call is not answered with 200. Answers how many there were. */
export const callsUnder = async (
  stage: Stage,
  frontend: Pod,
  during: () => Promise<void>,
): Promise<string> => {
  for (const [name, { everyMs, call }] of Object.entries(loads)) {
    // A proxy has a balancer for each protocol of a target, so each is in use before anything happens to it.
    expectOutcome(await frontend.call(stage.toService(8080, call)), '200', name);
    await frontend.hand.ask({ kind: 'load', name, call: stage.toService(8080, call), everyMs });
  }
  const tallies: [string, Tally][] = [];
  try {
    await during();
  } finally {
    for (const name of Object.keys(loads)) {
      tallies.push([name, await frontend.hand.ask({ kind: 'end-load', name })]);
    }
  }
  let calls = 0;
  let perSecond = 0;
  for (const [name, { outcomes, ms, reasons }] of tallies) {
    assert.deepEqual(Object.keys(outcomes), ['200'], `${name} connections: ${reasons.join('; ')}`);
    const answered = outcomes['200'] ?? 0;
    calls += answered;
    perSecond += (1_000 * answered) / ms;
  }
  return `${calls} calls (${Math.round(perSecond)}/s), all 200`;
};
