import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { usualElectionTiming } from '@gatehouse/core/writes/leader-election';
import { aClock } from '@gatehouse/testing/a-clock';
import { ElectionFixture, type SkewedClock, type Weather } from '@gatehouse/testing/election-fixture';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import fc from 'fast-check';
import { silentLog } from '../../log/log.ts';
import { LeaderElection } from './leader-election.ts';

const fair: Weather = { delay: 20, lostPerMille: 0 };
/** What is left between a holder's last write and the next holder's first. */
const margin = usualElectionTiming.leaseMs - usualElectionTiming.renewDeadlineMs;

const aFixture = (said: Partial<ConstructorParameters<typeof ElectionFixture>[0]> = {}): ElectionFixture =>
  new ElectionFixture({ timing: usualElectionTiming, weather: fair, writeMs: margin, seed: 1, ...said });

type Trouble =
  | { readonly kind: 'cut-off'; readonly who: number; readonly ms: number }
  | { readonly kind: 'server-away'; readonly ms: number }
  | { readonly kind: 'stop' | 'restart'; readonly who: number }
  | { readonly kind: 'touch' };

const someone = fc.nat({ max: 3 });
const someTime = fc.integer({ min: 100, max: 40_000 });
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cut-off' as const), who: someone, ms: someTime }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('server-away' as const), ms: someTime }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('stop' as const, 'restart' as const), who: someone }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('touch' as const) }) },
);

const befall = (fixture: ElectionFixture, what: Trouble, restart: (who: number) => void): void => {
  switch (what.kind) {
    case 'cut-off':
      fixture.cutOff(`replica-${what.who}`, what.ms);
      break;
    case 'server-away':
      fixture.cutOffAll(what.ms);
      break;
    case 'stop':
      fixture.stop(`replica-${what.who}`);
      break;
    case 'restart':
      restart(what.who);
      break;
    case 'touch':
      fixture.touchLease();
  }
};

const story = fc.record({
  seed: fc.integer(),
  weather: fc.record({ delay: fc.integer({ min: 1, max: 6_000 }), lostPerMille: fc.nat({ max: 400 }) }),
  wallOffsets: fc.array(fc.integer({ min: -20_000, max: 20_000 }), { minLength: 2, maxLength: 4 }),
  paces: fc.array(fc.double({ min: 0.9, max: 1.1, noNaN: true }), { minLength: 4, maxLength: 4 }),
  troubles: fc.array(fc.record({ after: fc.integer({ min: 0, max: 15_000 }), what: trouble }), {
    maxLength: 12,
  }),
});

type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** Plays a story, then fair weather, then the end; answers what went wrong. */
const play = async (
  told: Story,
  { paceOf, writeMs }: { readonly paceOf: (who: number) => number; readonly writeMs: number },
) => {
  const fixture = aFixture({ weather: told.weather, seed: told.seed, writeMs });
  const clockOf = (who: number): SkewedClock => ({
    wallOffset: told.wallOffsets[who] ?? 0,
    pace: paceOf(who),
  });
  let lives = told.wallOffsets.length;
  for (const who of told.wallOffsets.keys()) fixture.start(`replica-${who}`, clockOf(who));
  for (const { after, what } of told.troubles) {
    await fixture.passes(after);
    befall(fixture, what, (who) => {
      fixture.stop(`replica-${who}`);
      fixture.start(`life-${lives}`, clockOf(who));
      lives += 1;
    });
  }
  await fixture.passes(60_000);
  await fixture.end();
  return fixture;
};

suite('leader election', () => {
  test('two replicas never write within one lease, whatever is late, lost, cut off or 20 s off', async () => {
    let ledAtAll = 0;
    let changedHands = 0;
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const { broken, terms } = await play(told, { paceOf: () => 1, writeMs: margin });
        ledAtAll += Math.min(1, terms.length);
        changedHands += Math.max(0, terms.length - 1);
        assert.deepEqual(broken, []);
      }),
      { numRuns: 60 },
    );
    // A property of who never leads would hold of anything.
    assert.ok(ledAtAll > 20 && changedHands > 3, `${ledAtAll} worlds led, ${changedHands} changes of hands`);
  });

  test('clocks that run a tenth fast or slow leave enough between two holders', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const { leaseMs, renewDeadlineMs } = usualElectionTiming;
        const left = leaseMs / 1.1 - renewDeadlineMs / 0.9;
        const fixture = await play(told, { paceOf: (who) => told.paces[who] ?? 1, writeMs: left });
        assert.deepEqual(fixture.broken, []);
      }),
      { numRuns: 30 },
    );
  });

  test('the first holder stays as long as nothing is wrong, with one call in each retry period', async () => {
    const fixture = aFixture();
    fixture.start('a', { wallOffset: 20_000, pace: 1 });
    await fixture.passes(1_000);
    fixture.start('b', { wallOffset: -20_000, pace: 1 });
    const before = fixture.calls;
    await fixture.passes(200_000);
    assert.deepEqual(fixture.terms, ['a']);
    const each = (fixture.calls - before) / (200_000 / usualElectionTiming.retryMs);
    assert.ok(each > 1.8 && each <= 2, `${each} calls in each period by two replicas`);
    await fixture.end();
    assert.deepEqual(fixture.broken, []);
  });

  test('who stops in order is followed within a retry period', async () => {
    const fixture = aFixture({ writeMs: 0 });
    fixture.start('a');
    await fixture.passes(1_000);
    fixture.start('b');
    await fixture.passes(5_000);
    fixture.stop('a');
    await fixture.passes(usualElectionTiming.retryMs * 1.2 + 200);
    assert.deepEqual(fixture.leaders, ['b']);
    assert.deepEqual([fixture.lease?.holder, fixture.lease?.transitions], ['b', 1]);
    await fixture.end();
    assert.equal(fixture.lease?.holder, '');
  });

  test('a holder that is cut off writes no more after the renew deadline, and is followed after the lease', async () => {
    const fixture = aFixture({ weather: { delay: 1, lostPerMille: 0 } });
    const { leaseMs, renewDeadlineMs, retryMs } = usualElectionTiming;
    fixture.start('a');
    await fixture.passes(1_000);
    fixture.start('b');
    await fixture.passes(30_000);
    fixture.cutOff('a', 1_000_000);
    await fixture.passes(renewDeadlineMs - retryMs - 100);
    assert.deepEqual(fixture.leaders, ['a']);
    await fixture.passes(retryMs + 100);
    assert.deepEqual(fixture.leaders, []);
    await fixture.passes(leaseMs - renewDeadlineMs + retryMs);
    assert.deepEqual(fixture.leaders, ['b']);
    assert.deepEqual(fixture.broken, []);
    await fixture.end();
  });

  test('a Lease that is deleted stays with its holder', async () => {
    const fixture = aFixture();
    for (const name of ['a', 'b', 'c']) fixture.start(name);
    await fixture.passes(20_000);
    const [leader] = fixture.leaders;
    for (let time = 0; time < 5; time += 1) {
      fixture.deleteLease();
      await fixture.passes(7_000);
      assert.deepEqual(fixture.leaders, [leader]);
    }
    await fixture.end();
    assert.deepEqual([fixture.terms, fixture.broken], [[leader], []]);
  });

  test('when its holder is cut off too, a deleted Lease is waited for like one that is there', async () => {
    const fixture = aFixture();
    for (const name of ['a', 'b', 'c']) fixture.start(name);
    await fixture.passes(20_000);
    const [leader = ''] = fixture.leaders;
    fixture.cutOff(leader, 60_000);
    fixture.deleteLease();
    await fixture.passes(60_000);
    await fixture.end();
    assert.equal(fixture.terms.length, 2);
    assert.deepEqual(fixture.broken, []);
  });

  test('a holder whose wall clock stands still is seen to renew', async () => {
    const fixture = aFixture();
    fixture.start('a', { wallOffset: 0, pace: 1, wallPace: 0 });
    const times = new Set<string>();
    for (let time = 0; time < 20; time += 1) {
      await fixture.passes(usualElectionTiming.retryMs);
      times.add(fixture.lease?.renewTime ?? '');
    }
    assert.equal(times.size, 20);
    assert.deepEqual(fixture.leaders, ['a']);
    await fixture.end();
  });

  test('an outage is one warning, and a call that fails once is none', async () => {
    const log = new RecordingLog();
    const clock = aClock();
    const ending = new AbortController();
    let asked = 0;
    const away = async (): Promise<never> => {
      asked += 1;
      throw new Error('away');
    };
    const leases = { name: 'a/b', get: away, create: never, update: never };
    const election = new LeaderElection({ leases, id: 'a', log, clock: { ...clock, wall: Date.now } });
    const running = election.run(ending.signal);
    const warnings: number[] = [];
    for (const count of [1, 2, 3, 4]) {
      while (asked < count) {
        clock.pass(usualElectionTiming.retryMs);
        await Promise.resolve();
      }
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      warnings.push(log.lines('warn').length);
    }
    ending.abort();
    await running;
    assert.deepEqual(warnings, [0, 1, 1, 1]);
  });

  test('timings that leave no time between two holders are refused', () => {
    const fixture = { name: 'a/b', get: never, create: never, update: never };
    const bad = [
      { leaseMs: 10_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      { leaseMs: 15_500, renewDeadlineMs: 10_000, retryMs: 2_000 },
      { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 5_000 },
      { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 0 },
    ];
    for (const timing of bad)
      assert.throws(
        () => new LeaderElection({ leases: fixture, id: 'a', log: silentLog, timing }),
        /cannot be held/,
      );
    assert.equal(bad.length, 4);
  });
});

const never = async (): Promise<never> => {
  throw new Error('nobody asks');
};
