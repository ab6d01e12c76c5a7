import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@gatehouse/shared/service';
import { serviceNames } from '../rig/control-plane.ts';
import { eventually } from '../rig/eventually.ts';
import { expectOutcome } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import { callsUnder, steadyAccount } from './steady-calls.ts';

const outageMs = 3_000;
/** Longer than the folder is ever left unread in good times: it is read every 2 s. */
const stallS = 5;

const killed = (service: ServiceName): Scenario => ({
  part: 'failure',
  title: `${service} is killed for ${outageMs / 1_000} s under steady traffic: no request fails, and it takes up its work again`,
  run: (mesh, witness) =>
    Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
      const backend = await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend', { serviceAccount: steadyAccount });
      const intruder = await stage.pod('intruder');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await stage.until(frontend, stage.toService(8080), '200');
      await stage.until(intruder, stage.toService(8080), '403');
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
      const changed = await stage.until(intruder, stage.toService(8080), '200');
      await stage.until(frontend, stage.toService(8080), '403');
      const late = await stage.pod('late');
      assert.equal(late.identity, backend.identity);
      return `${calls}; ready again after ${Math.round(back)} ms, a change enforced ${Math.round(changed)} ms after its file`;
    }),
});

/** What policy and destination are for: a proxy asks both about a target that it does not know. */
const askedAboutTargets = {
  // The target's routes are known, and endpoints come from destination.
  policy: { newProtocol: '200' },
  // A balancer that has had no endpoints yet fails its calls after 3 s: the only ones that fail (contract/proxy.md §2.5).
  destination: { newProtocol: '504' },
} as const;

const newTarget = (service: keyof typeof askedAboutTargets): Scenario => ({
  part: 'failure',
  title: `a target that is new to a proxy while ${service} is down: calls wait until it is back; a protocol that is new to a target in use gets ${askedAboutTargets[service].newProtocol}`,
  run: (mesh, witness) =>
    Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
      await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend', { serviceAccount: steadyAccount });
      const newcomer = await stage.pod('newcomer', { labels: { app: 'frontend' } });
      const monoglot = await stage.pod('monoglot', { labels: { app: 'frontend' } });
      const intruder = await stage.pod('intruder');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await stage.until(frontend, stage.toService(8080), '200');
      let waited = 0;
      const calls = await callsUnder(stage, frontend, async () => {
        expectOutcome(await monoglot.call(stage.toService(8080)), '200', 'HTTP/1 before');
        await mesh.controlPlane.kill(service);
        const newProtocol = monoglot.call(stage.toService(8080, { speaks: 'http2' }));
        const patient = { timeoutMs: 30_000 };
        const waiting = [newcomer, intruder].map((pod) => pod.call(stage.toService(8080, patient)));
        expectOutcome(
          await newcomer.call(stage.toService(8080, { timeoutMs: outageMs })),
          'silent',
          'a call that gives up before',
        );
        expectOutcome(await newProtocol, askedAboutTargets[service].newProtocol, 'HTTP/2 for the first time');
        mesh.controlPlane.start(service);
        await mesh.controlPlane.untilReady(service);
        const since = performance.now();
        const [admitted, refused] = await Promise.all(waiting);
        waited = performance.now() - since;
        assert.ok(admitted && refused);
        expectOutcome(admitted, '200', 'a call that waited');
        expectOutcome(refused, '403', 'the intruder that waited');
      });
      return `${calls}; waiting calls answered ${Math.round(waited)} ms after ${service} was ready`;
    }),
});

const stalledSource: Scenario = {
  part: 'failure',
  title:
    'the source stalls under steady traffic: no request fails, everybody sees how stale it is, and what changed meanwhile is enforced once it is back',
  run: (mesh, witness) =>
    Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
      await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend', { serviceAccount: steadyAccount });
      const newcomer = await stage.pod('newcomer', { labels: { app: 'frontend' } });
      const intruder = await stage.pod('intruder');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await stage.until(frontend, stage.toService(8080), '200');
      await stage.until(intruder, stage.toService(8080), '403');
      const staleness = async (): Promise<readonly number[]> =>
        (await Promise.all(serviceNames.map((service) => mesh.controlPlane.staleness(service)))).flat();
      let since = 0;
      const calls = await callsUnder(stage, frontend, async () => {
        await mesh.manifests.hide();
        try {
          await stage.put(allow(stage.namespace, { from: 'intruder', to: 'backend', ports: [8080] }));
          await eventually(`all watches to be more than ${stallS} s old`, async () =>
            Math.min(...(await staleness())) > stallS ? true : undefined,
          );
          for (const service of serviceNames) await mesh.controlPlane.untilReady(service);
          expectOutcome(
            await newcomer.call(stage.toService(8080)),
            '200',
            'a pod that calls for the first time',
          );
          expectOutcome(
            await intruder.call(stage.toService(8080)),
            '403',
            'whom only the unseen change admits',
          );
        } finally {
          // The steady caller's right ends with what nobody has seen yet, so it is given back first.
          await stage.put(
            allow(stage.namespace, { from: 'intruder', to: 'backend', ports: [8080] }),
            allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }),
          );
          since = performance.now();
          await mesh.manifests.show();
        }
        await stage.until(intruder, stage.toService(8080), '200');
        since = performance.now() - since;
        await eventually(`all watches to be less than ${stallS} s old`, async () =>
          Math.max(...(await staleness())) < stallS ? true : undefined,
        );
      });
      await stage.put(allow(stage.namespace, { from: 'intruder', to: 'backend', ports: [8080] }));
      await stage.until(frontend, stage.toService(8080), '403');
      return `${calls}; stale for more than ${stallS} s; enforced ${Math.round(since)} ms after the folder was back`;
    }),
};

/** Each service killed and started again later, and the source of all of them stalled. */
export const failures = (): readonly Scenario[] => [
  ...serviceNames.map(killed),
  newTarget('policy'),
  newTarget('destination'),
  stalledSource,
];
