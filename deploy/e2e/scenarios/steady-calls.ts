import assert from 'node:assert/strict';
import type { Call, LoadTally } from '../hand/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { served } from './expectations.ts';
import type { Stage } from './stage.ts';

/** Two hundred a second over kept connections, HTTP/1 and HTTP/2 in equal parts, and ten in new ones: all to a target in use. */
const loads: Readonly<Record<string, { readonly everyMs: number; readonly call: Partial<Call> }>> = {
  'kept HTTP/1': { everyMs: 10, call: { connection: 'kept-1' } },
  'kept HTTP/2': { everyMs: 10, call: { connection: 'kept-2', speaks: 'http2' } },
  'new HTTP/1': { everyMs: 100, call: {} },
};

/** The ServiceAccount of steady callers: its own, so that proxies count them apart from whoever else calls meanwhile. */
export const steadyAccount = 'steady';

/**
 * Calls the Service's port 8080 all the while; throws if a single call is not answered with 200, if applications saw more or
 * fewer than that, or if proxies allowed more or fewer or gave any other verdict. Answers how many there were.
 */
export const callsUnder = async (stage: Stage, caller: Pod, during: () => Promise<void>): Promise<string> => {
  const { witness } = stage;
  for (const { call } of Object.values(loads)) {
    // A proxy has a balancer for each protocol of a target, so each is in use before anything happens to it.
    await stage.expect(caller, stage.toService(8080, call), served());
  }
  const servers = [...stage.servers];
  const before = await witness.look(servers);
  witness.background.add(caller.identity);
  for (const [name, { everyMs, call }] of Object.entries(loads)) {
    await caller.hand.ask({ kind: 'load', name, call: stage.toService(8080, call), everyMs });
  }
  const tallies: [string, LoadTally][] = [];
  try {
    await during();
  } finally {
    for (const name of Object.keys(loads)) {
      tallies.push([name, await caller.hand.ask({ kind: 'end-load', name })]);
    }
    witness.background.delete(caller.identity);
  }
  let calls = 0;
  let perSecond = 0;
  for (const [name, { outcomes, ms, reasons }] of tallies) {
    witness.check('client', () =>
      assert.deepEqual(Object.keys(outcomes), ['200'], `${name} connections: ${reasons.join('; ')}`),
    );
    const answered = outcomes['200'] ?? 0;
    calls += answered;
    perSecond += (1_000 * answered) / ms;
  }
  const { seen, verdicts } = witness.accountOf(caller.identity, before, await witness.look(servers));
  witness.check('application', () => assert.equal(seen, calls, 'requests that applications saw'));
  witness.check('proxy', () => assert.deepEqual(verdicts, { 'HTTP allowed': calls }));
  return `${calls} calls (${Math.round(perSecond)}/s), all 200`;
};
