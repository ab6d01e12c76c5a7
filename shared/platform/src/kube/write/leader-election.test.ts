import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { usualElectionTiming } from '@gatehouse/core/writes/leader-election';
import { ElectionWorld, type SkewedClock, type Weather } from '@gatehouse/testing/election-world';
import fc from 'fast-check';
import { silentLog } from '../../log/log.ts';
import { LeaderElection } from './leader-election.ts';

const fair: Weather = { delay: 20, lostPerMille: 0 };
/** What is left between a holder's last write and the next holder's first. */
const margin = usualElectionTiming.leaseMs - usualElectionTiming.renewDeadlineMs;

const aWorld = (said: Partial<ConstructorParameters<typeof ElectionWorld>[0]> = {}): ElectionWorld =>
  new ElectionWorld({ timing: usualElectionTiming, weather: fair, writeMs: margin, seed: 1, ...said });

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

const befall = (world: ElectionWorld, what: Trouble, restart: (who: number) => void): void => {
  switch (what.kind) {
    case 'cut-off':
      world.cutOff(`replica-${what.who}`, what.ms);
      break;
    case 'server-away':
      world.cutOffAll(what.ms);
      break;
    case 'stop':
      world.stop(`replica-${what.who}`);
      break;
    case 'restart':
      restart(what.who);
      break;
    case 'touch':
      world.touchLease();
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
  const world = aWorld({ weather: told.weather, seed: told.seed, writeMs });
  const clockOf = (who: number): SkewedClock => ({
    wallOffset: told.wallOffsets[who] ?? 0,
    pace: paceOf(who),
  });
  let lives = told.wallOffsets.length;
  for (const who of told.wallOffsets.keys()) world.start(`replica-${who}`, clockOf(who));
  for (const { after, what } of told.troubles) {
    await world.passes(after);
    befall(world, what, (who) => {
      world.stop(`replica-${who}`);
      world.start(`life-${lives}`, clockOf(who));
      lives += 1;
    });
  }
  await world.passes(60_000);
  await world.end();
  return world;
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
        const world = await play(told, { paceOf: (who) => told.paces[who] ?? 1, writeMs: left });
        assert.deepEqual(world.broken, []);
      }),
      { numRuns: 30 },
    );
  });

  test('the first holder stays as long as nothing is wrong, with one call in each retry period', async () => {
    const world = aWorld();
    world.start('a', { wallOffset: 20_000, pace: 1 });
    await world.passes(1_000);
    world.start('b', { wallOffset: -20_000, pace: 1 });
    const before = world.calls;
    await world.passes(200_000);
    assert.deepEqual(world.terms, ['a']);
    const each = (world.calls - before) / (200_000 / usualElectionTiming.retryMs);
    assert.ok(each > 1.8 && each <= 2, `${each} calls in each period by two replicas`);
    await world.end();
    assert.deepEqual(world.broken, []);
  });

  test('who stops in order is followed within a retry period', async () => {
    const world = aWorld({ writeMs: 0 });
    world.start('a');
    await world.passes(1_000);
    world.start('b');
    await world.passes(5_000);
    world.stop('a');
    await world.passes(usualElectionTiming.retryMs * 1.2 + 200);
    assert.deepEqual(world.leaders, ['b']);
    assert.deepEqual([world.lease?.holder, world.lease?.transitions], ['b', 1]);
    await world.end();
    assert.equal(world.lease?.holder, '');
  });

  test('a holder that is cut off writes no more after the renew deadline, and is followed after the lease', async () => {
    const world = aWorld({ weather: { delay: 1, lostPerMille: 0 } });
    const { leaseMs, renewDeadlineMs, retryMs } = usualElectionTiming;
    world.start('a');
    await world.passes(1_000);
    world.start('b');
    await world.passes(30_000);
    world.cutOff('a', 1_000_000);
    await world.passes(renewDeadlineMs - retryMs - 100);
    assert.deepEqual(world.leaders, ['a']);
    await world.passes(retryMs + 100);
    assert.deepEqual(world.leaders, []);
    await world.passes(leaseMs - renewDeadlineMs + retryMs);
    assert.deepEqual(world.leaders, ['b']);
    assert.deepEqual(world.broken, []);
    await world.end();
  });

  test('a Lease that somebody deletes stays with its holder', async () => {
    const world = aWorld();
    for (const name of ['a', 'b', 'c']) world.start(name);
    await world.passes(20_000);
    const [leader] = world.leaders;
    for (let time = 0; time < 5; time += 1) {
      world.deleteLease();
      await world.passes(7_000);
      assert.deepEqual(world.leaders, [leader]);
    }
    await world.end();
    assert.deepEqual([world.terms, world.broken], [[leader], []]);
  });

  test('when its holder is cut off too, a deleted Lease is waited for like one that is there', async () => {
    const world = aWorld();
    for (const name of ['a', 'b', 'c']) world.start(name);
    await world.passes(20_000);
    const [leader = ''] = world.leaders;
    world.cutOff(leader, 60_000);
    world.deleteLease();
    await world.passes(60_000);
    await world.end();
    assert.equal(world.terms.length, 2);
    assert.deepEqual(world.broken, []);
  });

  test('a holder whose wall clock stands still is seen to renew', async () => {
    const world = aWorld();
    world.start('a', { wallOffset: 0, pace: 1, wallPace: 0 });
    const times = new Set<string>();
    for (let time = 0; time < 20; time += 1) {
      await world.passes(usualElectionTiming.retryMs);
      times.add(world.lease?.renewTime ?? '');
    }
    assert.equal(times.size, 20);
    assert.deepEqual(world.leaders, ['a']);
    await world.end();
  });

  test('timings that leave no time between two holders are refused', () => {
    const world = { name: 'a/b', get: never, create: never, update: never };
    const bad = [
      { leaseMs: 10_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      { leaseMs: 15_500, renewDeadlineMs: 10_000, retryMs: 2_000 },
      { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 5_000 },
      { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 0 },
    ];
    for (const timing of bad)
      assert.throws(
        () => new LeaderElection({ leases: world, id: 'a', log: silentLog, timing }),
        /cannot be held/,
      );
    assert.equal(bad.length, 4);
  });
});

const never = async (): Promise<never> => {
  throw new Error('nobody asks');
};
