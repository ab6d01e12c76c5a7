import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { type Expected, echoed, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { haveExpired, leafTimes } from './shown-leaves.ts';
import { callsUnder, oneCallUnder, steadyAccount } from './steady-calls.ts';
import { withSettings } from './with-settings.ts';

/** A proxy renews at this share of a leaf's life, and again at this share of what is left (contract/proxy.md §4.3). */
const renewAfterShare = 0.7;
/** A proxy without a valid certificate asks every 10 s; the rest is for a busy machine. */
const recertifiedWithinMs = 25_000;

const overRenewal = (): Scenario => ({
  part: 'failure',
  title:
    'identity is down when a leaf is to be renewed and back before it expires: no call fails, and the next attempt renews it',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080, tcp: 7000 } }, (fixture) => {
      // The second attempt comes 17 s after the first, and 7 s before the leaf expires: time enough to start identity.
      const settings = { GATEHOUSE_ISSUANCE_LIFETIME: '80s', GATEHOUSE_CLOCK_SKEW: '1s' };
      return withSettings(mesh, { identity: settings }, async () => {
        const { frontend, raw, backend } = await cast(fixture);
        const pods = [backend, frontend, raw];
        let left = 0;
        let handshakes = 0;
        const calls = await callsUnder(fixture, frontend, async () => {
          const call = fixture.toService(7000, { speaks: 'tcp' });
          handshakes = await oneCallUnder(fixture, { caller: raw, call, expected: echoed() }, async () => {
            await mesh.controlPlane.kill('identity');
            const leaves = await Promise.all(pods.map(leafTimes));
            const [oldest] = leaves.toSorted((one, other) => one.expiresAt - other.expiresAt);
            assert.ok(oldest);
            const attempt = oldest.takenAt + renewAfterShare * (oldest.expiresAt - oldest.takenAt);
            assert.ok(Date.now() < attempt, 'identity is down before the first renewal');
            await sleep(attempt + 1_000 - Date.now());
            const still = await Promise.all(pods.map(leafTimes));
            observer.check('proxy', () => assert.deepEqual(still, leaves, 'nobody got another certificate'));
            mesh.controlPlane.start('identity');
            await eventually('all to be renewed', async () => {
              const now = await Promise.all(pods.map(leafTimes));
              return now.every(({ taken }, at) => taken > (leaves[at]?.taken ?? 0)) ? true : undefined;
            });
            const expiry = Math.min(...leaves.map(({ expiresAt }) => expiresAt));
            left = expiry - Date.now();
          });
        });
        assert.ok(left > 0, `renewed ${-left} ms after the first leaf had expired`);
        return `${calls}, ${handshakes} handshakes; renewed ${(left / 1_000).toFixed(1)} s before the first would expire`;
      });
    }),
});

/** No handshake between two proxies succeeds: nothing comes to a verdict. */
const noHandshake: Expected = { client: 'closed', application: 0, proxy: 'no verdict' };

const beyondExpiry = (): Scenario => ({
  part: 'failure',
  title: `identity is down beyond the expiry of leaves: what is connected stays so, new connections between proxies fail, and ${recertifiedWithinMs / 1_000} s after it is back all is well`,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080, tcp: 7000 } }, (fixture) => {
      const settings = { GATEHOUSE_ISSUANCE_LIFETIME: '15s', GATEHOUSE_CLOCK_SKEW: '1s' };
      return withSettings(mesh, { identity: settings }, async () => {
        const { frontend, raw, backend } = await cast(fixture);
        const stranger = await fixture.pod('stranger', {
          labels: { app: 'frontend' },
          serviceAccount: 'stranger',
        });
        const pods = [backend, frontend, raw, stranger];
        const open = fixture.toService(7000, { speaks: 'tcp', connection: 'open' });
        await fixture.expect(raw, open, echoed());
        const fresh = fixture.toService(7000, { speaks: 'tcp' });
        let ms = 0;
        const calls = await callsUnder(fixture, frontend, async () => {
          await mesh.controlPlane.kill('identity');
          await eventually('all leaves to have expired', async () => {
            const leaves = await Promise.all(pods.map(leafTimes));
            return haveExpired(leaves) ? true : undefined;
          });
          for (const pod of pods) await pod.untilReady();
          await fixture.expect(raw, open, { ...echoed(), proxy: 'no verdict' });
          await fixture.expect(raw, fresh, noHandshake);
          // Its proxy goes on trying for 3 s before it says so.
          await fixture.expect(stranger, fixture.toService(8080), { ...noHandshake, client: '504' });
          mesh.controlPlane.start('identity');
          await mesh.controlPlane.untilReady('identity');
          const since = performance.now();
          await fixture.until(raw, fresh, { outcome: 'echoed', withinMs: recertifiedWithinMs });
          await fixture.until(stranger, fixture.toService(8080), {
            outcome: '200',
            withinMs: recertifiedWithinMs,
          });
          ms = performance.now() - since;
        });
        await fixture.expect(stranger, fixture.toService(8080), served());
        return `${calls}; new connections again ${(ms / 1_000).toFixed(1)} s after identity was ready`;
      });
    }),
});

interface Cast {
  readonly backend: Pod;
  readonly frontend: Pod;
  /** Its calls are raw TCP: each is a connection between two proxies. */
  readonly raw: Pod;
}

const cast = async (fixture: Fixture): Promise<Cast> => {
  const backend = await fixture.pod('backend', { ports: { http: 8080, tcp: 7000 } });
  const frontend = await fixture.pod('frontend', { serviceAccount: steadyAccount });
  const raw = await fixture.pod('raw', { labels: { app: 'frontend' }, serviceAccount: 'raw' });
  await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080, 7000] }));
  await fixture.until(frontend, fixture.toService(8080), '200');
  return { backend, frontend, raw };
};

/** Identity away for longer than leaves bear. */
export const identityOutages = (): readonly Scenario[] => [overRenewal(), beyondExpiry()];
