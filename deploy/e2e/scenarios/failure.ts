import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@gatehouse/shared/service';
import { serviceNames } from '../rig/control-plane.ts';
import type { Pod } from '../rig/pod.ts';
import { expectOutcome } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';

/** One call every so often over a kept connection, and one in new connections: both to a target that is in use. */
const rates = { keptEveryMs: 10, newEveryMs: 100 } as const;
const outageMs = 3_000;

const underLoad = async (stage: Stage, frontend: Pod, during: () => Promise<void>): Promise<number> => {
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

const killed = (service: ServiceName): Scenario => ({
  part: 'failure',
  title: `${service} is killed for ${outageMs / 1_000} s under steady traffic: no request fails, and it takes up its work again`,
  run: (mesh) =>
    Stage.play(mesh, { http: 8080 }, async (stage) => {
      const backend = await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend');
      const intruder = await stage.pod('intruder');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await callUntil(frontend, stage.toService(8080), '200');
      await callUntil(intruder, stage.toService(8080), '403');
      let back = 0;
      const calls = await underLoad(stage, frontend, async () => {
        await sleep(500);
        await mesh.controlPlane.kill(service);
        await sleep(outageMs);
        expectOutcome(await intruder.call(stage.toService(8080)), '403', 'intruder during the outage');
        mesh.controlPlane.start(service);
        const since = performance.now();
        await mesh.controlPlane.untilReady(service);
        back = performance.now() - since;
        await sleep(1_000);
      });
      await stage.put(allow(stage.namespace, { from: 'intruder', to: 'backend', ports: [8080] }));
      const changed = await callUntil(intruder, stage.toService(8080), '200');
      await callUntil(frontend, stage.toService(8080), '403');
      const late = await stage.pod('late');
      assert.equal(late.identity, backend.identity);
      return `${calls} calls, all 200; ready again after ${Math.round(back)} ms, a change enforced ${Math.round(changed)} ms after its file`;
    }),
});

/** Each service killed, and started again later. */
export const failures = (): readonly Scenario[] => serviceNames.map(killed);
