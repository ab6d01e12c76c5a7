import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { attempt, attemptAmong } from '@gatehouse/policy/testing/random-attempts';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { Inquiry } from './inquiry.ts';
import { aNamespace, startBoth } from './parity-run.ts';
import { findPeers } from './prerequisites.ts';
import { afterChange, changeOf, randomChange } from './random-changes.ts';
import { randomCluster } from './random-objects.ts';
import { here } from './random-parts.ts';
import { tellApart } from './told-apart.ts';

const peers = findPeers('LINKERD_POLICY_CONTROLLER_BIN');
const numRuns = Number(process.env.PARITY_CASES ?? 50);
const seed = Number(process.env.PARITY_SEED ?? Date.now() % 2 ** 31);

/** A case that fails is shrunk for no longer than this. */
const longestMs = 45 * 60_000;

const attempts = fc
  .array(attempt, { minLength: 30, maxLength: 30 })
  .map((all) => all.map((one) => attemptAmong([], one)));

suite("Linkerd's policy controller and ours", { skip: peers.skip, timeout: longestMs + 300_000 }, () => {
  test('say the same of every port of random clusters, before and after changes', async (t) => {
    const controllers = await startBoth(t, peers);
    const inquiry = new Inquiry(controllers);
    let present: readonly WireObject[] = [];
    const holds = fc.asyncProperty(
      randomCluster,
      randomCluster,
      fc.array(randomChange, { minLength: 1, maxLength: 2 }),
      attempts,
      async ({ namespaceSettings, objects }, other, changes, tried) => {
        await controllers.write({ remove: present });
        present = objects;
        const put = [aNamespace(here, namespaceSettings), ...objects];
        const made = await controllers.write({ put });
        await using watched = await inquiry.watch();
        let there: readonly WireObject[] = made.slice(1);
        await watched.agree(there, tried);
        for (const random of changes) {
          const change = changeOf({ objects: there, namespaceSettings }, other, random);
          present = [...present, ...change.put];
          const written = await controllers.write(change);
          there = afterChange(there, { ...change, put: written });
          await watched.agree(there, tried);
        }
      },
    );
    await fc.assert(holds, {
      numRuns,
      seed,
      endOnFailure: process.env.PARITY_SHRINK === 'no',
      interruptAfterTimeLimit: longestMs,
      markInterruptAsFailure: true,
    });
    t.diagnostic(`seed ${seed}, ${numRuns} cases: ${inquiry.summary()}`);
  });

  test('differ as the table says where random clusters do not go', async (t) => {
    const controllers = await startBoth(t, peers);
    assert.deepEqual(await tellApart(controllers), []);
  });
});
