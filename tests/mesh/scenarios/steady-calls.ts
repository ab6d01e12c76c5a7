import assert from 'node:assert/strict';
import type { Call, LoadTally } from '../agent/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { type Expected, served } from './expectations.ts';
import type { Fixture } from './fixture.ts';

/** Two hundred a second over kept connections, HTTP/1 and HTTP/2 in equal parts, and ten in new ones: all to a target in use. */
const loads: Readonly<Record<string, { readonly everyMs: number; readonly call: Partial<Call> }>> = {
  'kept HTTP/1': { everyMs: 10, call: { connection: 'kept-1' } },
  'kept HTTP/2': { everyMs: 10, call: { connection: 'kept-2', speaks: 'http2' } },
  'new HTTP/1': { everyMs: 100, call: {} },
};

/** The ServiceAccount of steady callers: its own, so that proxies count them apart from others that calls meanwhile. */
export const steadyAccount = 'steady';

interface SteadyCall {
  readonly everyMs: number;
  readonly call: Call;
}

/**
 * Calls the Service's port 8080 all the while; throws if a single call is not answered with 200, if applications saw more or
 * fewer than that, or if proxies allowed more or fewer or gave any other verdict. Returns how many there were. `patience` is
 * how long a call may take.
 */
export const callsUnder = async (
  fixture: Fixture,
  caller: Pod,
  during: () => Promise<void>,
  patience: Pick<Call, 'timeoutMs'> = {},
): Promise<string> => {
  const named = Object.entries(loads).map(([name, { everyMs, call }]): [string, SteadyCall] => [
    name,
    { everyMs, call: fixture.toService(8080, { ...call, ...patience }) },
  ]);
  for (const [, { call }] of named) {
    // A proxy has a balancer for each protocol of a target, so each is in use before anything happens to it.
    await fixture.expect(caller, call, served());
  }
  const { calls, perSecond } = await steadily(
    fixture,
    { caller, expected: served(), loads: Object.fromEntries(named) },
    during,
  );
  return `${calls} calls (${Math.round(perSecond)}/s), all 200`;
};

/** One call again and again, each of which must turn out as expected, from all sides. Returns how many there were. */
export const oneCallUnder = async (
  fixture: Fixture,
  { caller, call, expected }: { readonly caller: Pod; readonly call: Call; readonly expected: Expected },
  during: () => Promise<void>,
): Promise<number> => {
  const loads = { [`${caller.name} to ${call.port}`]: { everyMs: 200, call } };
  return (await steadily(fixture, { caller, expected, loads }, during)).calls;
};

/** Who calls in the background, under an identity that nobody else in the fixture has. */
interface Background {
  readonly caller: Pod;
  readonly expected: Expected;
  readonly loads: Readonly<Record<string, SteadyCall>>;
}

const steadily = async (
  fixture: Fixture,
  { caller, expected, loads }: Background,
  during: () => Promise<void>,
): Promise<{ readonly calls: number; readonly perSecond: number }> => {
  const { observer } = fixture;
  const before = await observer.look(fixture.servers);
  observer.background.add(caller.identity);
  for (const [name, load] of Object.entries(loads)) {
    await caller.hand.ask({ kind: 'load', name, ...load });
  }
  const tallies: [string, LoadTally][] = [];
  try {
    await during();
  } finally {
    for (const name of Object.keys(loads)) {
      tallies.push([name, await caller.hand.ask({ kind: 'end-load', name })]);
    }
    observer.background.delete(caller.identity);
  }
  const { client, application, proxy } = expected;
  let calls = 0;
  let perSecond = 0;
  for (const [name, { outcomes, ms, reasons }] of tallies) {
    observer.check('client', () =>
      assert.deepEqual(Object.keys(outcomes), [client], `${name}: ${reasons.join('; ')}`),
    );
    const answered = outcomes[client] ?? 0;
    calls += answered;
    perSecond += (1_000 * answered) / ms;
  }
  const { seen, verdicts } = observer.accountOf(caller, before, await observer.look(fixture.servers));
  observer.check('application', () =>
    assert.equal(seen, calls * application, 'requests that applications saw'),
  );
  observer.check('proxy', () => {
    const counts = proxy !== 'no verdict' && 'counts' in proxy ? { [proxy.counts]: calls } : {};
    assert.deepEqual(verdicts, counts, `verdicts on ${caller.name}`);
  });
  return { calls, perSecond };
};
