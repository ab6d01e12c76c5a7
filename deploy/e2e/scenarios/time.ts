import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { expectOutcome } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';
import { callsUnder } from './steady-calls.ts';

/** A proxy renews at 70 % of what is left, but no sooner than 10 s after an answer (contract/proxy.md §4.3). */
const lifetime = '15s';
const watchedMs = 35_000;

const refreshes = async (pod: Pod): Promise<number> =>
  total(await pod.metrics(), 'control_identity_cert_refreshes_total', { result: 'ok' });

/** What only time brings. */
export const passagesOfTime = (): readonly Scenario[] => [
  {
    part: 'time',
    title: `certificates of ${lifetime} rotate under steady traffic: no request fails`,
    run: (mesh) =>
      Stage.play(mesh, { http: 8080 }, async (stage) => {
        const restart = async (env: Readonly<Record<string, string>>): Promise<void> => {
          await mesh.controlPlane.kill('identity');
          mesh.controlPlane.start('identity', env);
          await mesh.controlPlane.untilReady('identity');
        };
        // Skew is added to the life; without much of it the first certificate expires while we watch.
        await restart({ GATEHOUSE_ISSUANCE_LIFETIME: lifetime, GATEHOUSE_CLOCK_SKEW: '1s' });
        try {
          const backend = await stage.pod('backend', { ports: { http: 8080 } });
          const frontend = await stage.pod('frontend');
          await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
          await callUntil(frontend, stage.toService(8080), '200');
          const calls = await callsUnder(stage, frontend, async () => {
            await sleep(watchedMs);
          });
          const counts = [await refreshes(frontend), await refreshes(backend)];
          for (const count of counts) assert.ok(count >= 3, `refreshes: ${counts.join(' and ')}`);
          return `${calls}; ${counts.join(' and ')} certificates`;
        } finally {
          await restart({});
        }
      }),
  },
  {
    part: 'time',
    title: 'a proxy that was killed comes back with its policy, and admits nobody else meanwhile',
    run: (mesh) =>
      Stage.play(mesh, { http: 8080 }, async (stage) => {
        const backend = await stage.pod('backend', { ports: { http: 8080 } });
        const frontend = await stage.pod('frontend');
        const intruder = await stage.pod('intruder');
        await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await callUntil(frontend, stage.toService(8080), '200');
        await backend.seen();
        await backend.proxy?.end();
        backend.proxy?.start();
        const since = performance.now();
        for (let calls = 0; calls < 5; calls += 1) {
          const outcome = await intruder.call({ host: backend.address, port: 8080, speaks: 'http1' });
          assert.ok(outcome.kind !== 'answered' || outcome.status !== 200, 'intruder got in');
        }
        assert.deepEqual(await backend.seen(), []);
        await backend.untilReady();
        await callUntil(frontend, stage.toService(8080), '200');
        const ms = performance.now() - since;
        expectOutcome(await intruder.call(stage.toService(8080)), '403', 'intruder');
        return `${Math.round(ms)} ms`;
      }),
  },
];
