import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import type { LinkerdPeer } from '../linkerd-peer.ts';
import { findPeers } from '../prerequisites.ts';
import {
  type Answer,
  answersAtAll,
  askFor,
  keepFollowing,
  leastPatience,
  type Patience,
  type Question,
} from './answer.ts';
import { askedOf, destinationDifferences } from './differences.ts';
import { questions } from './questions.ts';
import { type ClusterPlan, clusterPlan, here, objectsOf, serviceNames } from './random-cluster.ts';
import { destinationToldApart, summaryOf } from './told-apart.ts';
import { removeGone, type Sides, startBoth, write } from './two-destinations.ts';

const peers = findPeers('LINKERD_CONTROLLER_BIN');
const numRuns = Number(process.env.PARITY_CASES ?? 20);
const seed = Number(process.env.PARITY_SEED ?? Date.now() % 2 ** 31);

/** Watches are given so long to agree; only what is different afterwards counts. */
const agreeWithinMs = 5_000;

/** Each time that they differ they are listened to for longer, as on a machine that is busy with other things. */
const morePatience = ({ firstMs, settledMs }: Patience): Patience => ({
  firstMs: Math.min(2 * firstMs, 2_000),
  settledMs: Math.min(2 * settledMs, 2_000),
});

interface Found {
  readonly question: Question;
  readonly theirs: Answer;
  readonly expected: Answer;
  readonly ours: Answer;
}

/** What was expected after the differences of the table, and what ours said. */
const describeDifference = ({ question, expected, ours }: Found): readonly string[] => [
  `${question.method} ${question.path} ${question.contextToken}`,
  `  expected ${JSON.stringify(expected)}`,
  `  ours     ${JSON.stringify(ours)}`,
];

/** How often each difference that is meant was met. */
type Tally = Map<string, number>;

const compare = async (
  sides: Sides,
  plan: ClusterPlan,
  question: Question,
  tally: Tally,
): Promise<Found | undefined> => {
  const until = performance.now() + agreeWithinMs;
  const asked = askedOf(question, plan);
  for (let patience = leastPatience; ; patience = morePatience(patience)) {
    const [theirs, ours] = await Promise.all([
      askFor(sides.linkerd, asked, patience),
      askFor(sides.gatehouse, question, patience),
    ]);
    const met: string[] = [];
    let expected = theirs;
    for (const { name, ours: mapped, asked: ask } of destinationDifferences) {
      const next = mapped(expected, asked, plan);
      if (!isDeepStrictEqual(next, expected) || (ask !== undefined && asked !== question)) met.push(name);
      expected = next;
    }
    if (isDeepStrictEqual(expected, ours)) {
      for (const name of met) tally.set(name, (tally.get(name) ?? 0) + 1);
      return undefined;
    }
    if (performance.now() > until) return { question, theirs, expected, ours };
    await sleep(50);
  }
};

/** One question of a case, and what is not the same of it. */
type Asker = (question: Question) => Promise<Found | undefined>;

/**
 * What differs of a case. That Linkerd's controller has died of it or stands still is no difference: it is started anew and
 * asked again, once for each case, and waited for.
 */
const differencesOf = async (linkerd: LinkerdPeer, ask: Asker): Promise<readonly Found[]> => {
  let left = questions;
  for (const isLast of [false, true]) {
    const found = (await Promise.all(left.map(ask))).filter((each) => each !== undefined);
    if (found.length === 0) return found;
    const isAnother = !isLast && (await linkerd.revive());
    if (!(await answersAtAll(linkerd.client))) throw await linkerd.noAnswerTo('for a profile');
    if (isLast) return found;
    left = isAnother ? questions : found.map(({ question }) => question);
  }
  return [];
};

suite("Linkerd's destination controller and ours", { skip: peers.skip, timeout: 3_000_000 }, () => {
  test('say the same of random clusters, but for the differences of the table', async (t) => {
    const { cluster, sides, linkerd } = await startBoth(t, peers);
    for (const name of serviceNames)
      t.after(keepFollowing(linkerd.client, `${name}.${here}.svc.cluster.local:80`));
    const tally: Tally = new Map();
    let asked = 0;
    let present: readonly WireObject[] = [];
    const holds = fc.asyncProperty(clusterPlan, clusterPlan, async (...plans) => {
      // A pod's spec is for its life, and so is much of a Service: what changes is made anew.
      for (const plan of plans) {
        await removeGone(cluster, present);
        present = objectsOf(plan);
        await write(cluster, present);
        const found = await differencesOf(linkerd, (question) => compare(sides, plan, question, tally));
        asked += questions.length;
        assert.deepEqual(found.flatMap(describeDifference), []);
      }
    });
    await fc.assert(holds, {
      numRuns,
      seed,
      endOnFailure: process.env.PARITY_SHRINK !== 'yes',
      interruptAfterTimeLimit: 2_700_000,
      markInterruptAsFailure: true,
    });
    for (const death of linkerd.deaths)
      t.diagnostic(`Linkerd's controller died and was started anew: ${death}`);
    const met = [...tally].map(([name, count]) => `${name}: ${count}`).join('; ');
    t.diagnostic(`seed ${seed}, ${numRuns} cases, ${asked} answers compared; differences met: ${met}`);
  });

  test('differ as the table says where random clusters do not go', async (t) => {
    const { cluster, sides } = await startBoth(t, peers);
    const wrong: string[] = [];
    for (const { name, objects, question, said } of destinationToldApart) {
      await write(cluster, objects);
      for (const side of ['linkerd', 'gatehouse'] as const) {
        const until = performance.now() + agreeWithinMs;
        let found = '';
        do found = summaryOf(await askFor(sides[side], question));
        while (found !== said[side] && performance.now() < until);
        if (found !== said[side]) wrong.push(`${name}: ${side} says “${found}”`);
      }
      await removeGone(cluster, objects);
    }
    assert.deepEqual(wrong, []);
  });
});
