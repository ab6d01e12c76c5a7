import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { findPeers } from '../prerequisites.ts';
import { keepFollowing, type Question } from './answer.ts';
import { changedTo } from './changed-cluster.ts';
import { askedOf, expectedOf } from './differences.ts';
import { OpenStream } from './open-stream.ts';
import { questions } from './questions.ts';
import { type ClusterPlan, clusterPlan, here, objectsOf, serviceNames } from './random-cluster.ts';
import { removeGone, type Sides, startBoth, write } from './two-destinations.ts';

const peers = findPeers('LINKERD_CONTROLLER_BIN');
const numRuns = Number(process.env.PARITY_CASES ?? 10);
const seed = Number(process.env.PARITY_SEED ?? Date.now() % 2 ** 31);
const changesEach = 4;

/** What both have been told has to be the same within this time after a change. */
const agreeWithinMs = 5_000;

interface Followed {
  readonly question: Question;
  readonly asked: Question;
  readonly theirs: OpenStream;
  readonly ours: OpenStream;
}

const follow = (sides: Sides, plan: ClusterPlan): readonly Followed[] =>
  questions.map((question) => {
    const asked = askedOf(question, plan);
    return {
      question,
      asked,
      theirs: new OpenStream(sides.linkerd, asked),
      ours: new OpenStream(sides.gatehouse, question),
    };
  });

/** What still differs when both have had their time, each in three lines. */
const differences = async (followed: readonly Followed[], plan: ClusterPlan): Promise<readonly string[]> => {
  const until = performance.now() + agreeWithinMs;
  for (;;) {
    const found = followed.flatMap(({ question, asked, theirs, ours }) => {
      const expected = expectedOf(theirs.answer, asked, plan);
      return isDeepStrictEqual(expected, ours.answer)
        ? []
        : [
            `${question.method} ${question.path} ${question.contextToken}`,
            `  expected ${JSON.stringify(expected)}`,
            `  ours     ${JSON.stringify(ours.answer)}`,
          ];
    });
    if (found.length === 0 || performance.now() > until) return found;
    await sleep(50);
  }
};

suite("open streams of Linkerd's destination controller and ours", {
  skip: peers.skip,
  timeout: 3_000_000,
}, () => {
  test('have said the same after each of some random changes', async (t) => {
    const { cluster, sides } = await startBoth(t, peers);
    for (const name of serviceNames)
      t.after(keepFollowing(sides.linkerd, `${name}.${here}.svc.cluster.local:80`));
    let present: readonly WireObject[] = [];
    let compared = 0;
    const change = async (plan: ClusterPlan): Promise<void> => {
      const before = present;
      present = objectsOf(plan);
      // What is gone goes last: a slice that names an instance without its pod ends Linkerd's process.
      await write(cluster, present);
      await removeGone(cluster, before, present);
    };
    const wishes = fc.array(clusterPlan, { minLength: changesEach, maxLength: changesEach });
    const holds = fc.asyncProperty(clusterPlan, wishes, async (first, changes) => {
      await removeGone(cluster, present);
      present = [];
      let plan = first;
      await change(plan);
      const followed = follow(sides, plan);
      try {
        for (const wish of [undefined, ...changes]) {
          if (wish !== undefined) {
            plan = changedTo(plan, wish);
            await change(plan);
            for (const { theirs, ours } of followed) for (const stream of [theirs, ours]) stream.reopen();
          }
          assert.deepEqual(await differences(followed, plan), []);
          compared += followed.length;
        }
      } finally {
        for (const { theirs, ours } of followed) for (const stream of [theirs, ours]) stream.close();
      }
    });
    await fc.assert(holds, {
      numRuns,
      seed,
      endOnFailure: process.env.PARITY_SHRINK !== 'yes',
      interruptAfterTimeLimit: 2_700_000,
      markInterruptAsFailure: true,
    });
    t.diagnostic(
      `seed ${seed}, ${numRuns} clusters, ${changesEach} changes each, ${compared} answers compared`,
    );
  });
});
