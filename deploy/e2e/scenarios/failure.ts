import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@gatehouse/shared/service';
import { serviceNames } from '../rig/control-plane.ts';
import { expectOutcome } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';
import { callsUnder } from './steady-calls.ts';

const outageMs = 3_000;

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
      const calls = await callsUnder(stage, frontend, async () => {
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
