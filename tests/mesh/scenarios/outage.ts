import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { type Expected, refused, served, unanswered } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callsUnder, oneCallUnder, steadyAccount } from './steady-calls.ts';

/**
 * How long after a service is ready again its proxies may go without it. They try again after pauses that double
 * (contract/proxy.md §2.2), so the pause that is running when it comes back is about as long as the outage was; half of that
 * again is for jitter and the connection's own pauses, and five seconds for a busy machine.
 */
const takenUpWithinMs = (outageMs: number): number => 1.5 * outageMs + 5_000;
const inWords = '1.5 times the outage and 5 s';

const shortOutageMs = 3_000;
const outages = { identity: shortOutageMs, destination: shortOutageMs, policy: 15_000 } as const;

/** A service killed and started again later. */
export const killed = (service: ServiceName): Scenario => {
  const outageMs = outages[service];
  return {
    part: 'failure',
    title: `${service} is killed for ${outageMs / 1_000} s under steady traffic: no call fails, a caller that is denied stays so, and a change is in force within ${inWords}`,
    run: (mesh, observer) =>
      Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
        await fixture.pod('backend', { ports: { http: 8080 } });
        const frontend = await fixture.pod('frontend', { serviceAccount: steadyAccount });
        const intruder = await fixture.pod('intruder');
        const call = fixture.toService(8080);
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await fixture.until(frontend, call, '200');
        await fixture.until(intruder, call, '403');
        let outage = 0;
        let denials = 0;
        const calls = await callsUnder(fixture, frontend, async () => {
          denials = await oneCallUnder(fixture, { caller: intruder, call, expected: refused() }, async () => {
            await sleep(500);
            await mesh.controlPlane.kill(service);
            const since = performance.now();
            await sleep(outageMs);
            mesh.controlPlane.start(service);
            await mesh.controlPlane.untilReady(service);
            outage = performance.now() - since;
            await sleep(1_000);
          });
        });
        await fixture.put(allow(fixture.namespace, { from: 'intruder', to: 'backend', ports: [8080] }));
        const changed = await fixture.until(intruder, call, {
          outcome: '200',
          withinMs: takenUpWithinMs(outage),
        });
        await fixture.until(frontend, call, '403');
        // A pod that comes now is certified, told its policy, and finds its way.
        const late = await fixture.pod('late', { labels: { app: 'intruder' } });
        await fixture.until(late, call, '200');
        return `${calls}, ${denials} denied; away for ${(outage / 1_000).toFixed(1)} s, a change enforced ${Math.round(changed)} ms after its file`;
      }),
  };
};

/** What policy and destination are for: a proxy asks both about a target that it does not know. */
const askedAboutTargets: Readonly<Record<'policy' | 'destination', { readonly newProtocol: Expected }>> = {
  // The target's routes are known, and endpoints come from destination.
  policy: { newProtocol: served() },
  // A balancer that has had no endpoints yet fails its calls after 3 s: the only ones that fail (contract/proxy.md §2.5).
  destination: { newProtocol: { client: '504', application: 0, proxy: 'no verdict' } },
};

export const newTarget = (service: keyof typeof askedAboutTargets): Scenario => {
  const { newProtocol } = askedAboutTargets[service];
  return {
    part: 'failure',
    title: `a target that is new to a proxy while ${service} is down: calls wait, and are answered within ${inWords} after it is back; a protocol that is new to a target in use gets ${newProtocol.client}`,
    run: (mesh, observer) =>
      Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
        const backend = await fixture.pod('backend', { ports: { http: 8080 } });
        const frontend = await fixture.pod('frontend', { serviceAccount: steadyAccount });
        const labels = { app: 'frontend' };
        const newcomer = await fixture.pod('newcomer', { labels, serviceAccount: 'newcomer' });
        const monoglot = await fixture.pod('monoglot', { labels, serviceAccount: 'monoglot' });
        const intruder = await fixture.pod('intruder', { serviceAccount: 'intruder' });
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await fixture.until(frontend, fixture.toService(8080), '200');
        const answered: number[] = [];
        const calls = await callsUnder(fixture, frontend, async () => {
          await fixture.expect(monoglot, fixture.toService(8080), served());
          const http2 = fixture.toService(8080, { speaks: 'http2' });
          await mesh.controlPlane.kill(service);
          const since = performance.now();
          await fixture.expect(monoglot, http2, newProtocol);
          await fixture.expect(newcomer, fixture.toService(8080, { timeoutMs: 500 }), unanswered);
          const before = await observer.look([backend]);
          const patient = fixture.toService(8080, { timeoutMs: 40_000 });
          const waiting = [newcomer, intruder].map((pod) => pod.call(patient));
          await sleep(Math.max(0, shortOutageMs - (performance.now() - since)));
          mesh.controlPlane.start(service);
          await mesh.controlPlane.untilReady(service);
          const ready = performance.now();
          const withinMs = takenUpWithinMs(ready - since);
          const [admitted, denied] = await Promise.all(
            waiting.map(async (call) => {
              const outcome = await call;
              answered.push(performance.now() - ready);
              return outcome;
            }),
          );
          observer.check('client', () => {
            assert.ok(admitted?.kind === 'answered' && admitted.status === 200, JSON.stringify(admitted));
            assert.ok(denied?.kind === 'answered' && denied.status === 403, JSON.stringify(denied));
            assert.ok(Math.max(...answered) <= withinMs, `answered after ${answered} ms`);
          });
          const after = await observer.look([backend]);
          const ofNewcomer = observer.accountOf(newcomer, before, after);
          const ofIntruder = observer.accountOf(intruder, before, after);
          observer.check('application', () => assert.deepEqual([ofNewcomer.seen, ofIntruder.seen], [1, 0]));
          observer.check('proxy', () => {
            assert.deepEqual(ofNewcomer.verdicts, { 'HTTP allowed': 1 });
            assert.deepEqual(ofIntruder.verdicts, { 'HTTP denied': 1 });
          });
          await fixture.until(monoglot, http2, { outcome: '200', withinMs });
        });
        return `${calls}; waiting calls answered ${Math.round(Math.max(...answered))} ms after ${service} was ready`;
      }),
  };
};
