import assert from 'node:assert/strict';
import { eventually } from '../rig/eventually.ts';
import { echoed, echoedAgain, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { leafShownBy, leafTimes } from './shown-leaves.ts';
import { callsUnder, oneCallUnder, steadyAccount } from './steady-calls.ts';
import { withSettings } from './with-settings.ts';

const rotations = 2;
/** With the skew that is added a leaf lives 61 s, and is renewed at 70 % of that. */
const settings = { GATEHOUSE_ISSUANCE_LIFETIME: '60s', GATEHOUSE_CLOCK_SKEW: '1s' } as const;
/** Twice 43 s, and what a busy machine adds. */
const rotatedWithinMs = 180_000;

export const leafRotation = (): Scenario => ({
  part: 'time',
  title: `leaves of a minute rotate ${rotations} times under steady calls: other serials on the wire, no call fails, no open connection is dropped`,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080, tcp: 7000 } }, (fixture) =>
      withSettings(mesh, { identity: settings }, async () => {
        const backend = await fixture.pod('backend', { ports: { http: 8080, tcp: 7000 } });
        const frontend = await fixture.pod('frontend', {
          ports: { http: 8080 },
          serviceAccount: steadyAccount,
        });
        const raw = await fixture.pod('raw', { labels: { app: 'frontend' }, serviceAccount: 'raw' });
        const onlooker = await fixture.pod('onlooker', { meshed: false });
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080, 7000] }));
        await fixture.until(frontend, fixture.toService(8080), '200');
        const open = fixture.toService(7000, { speaks: 'tcp', connection: 'open' });
        await fixture.expect(raw, open, echoed());
        const serials = { backend: new Set<string>(), frontend: new Set<string>() };
        let handshakes = 0;
        const calls = await callsUnder(fixture, frontend, async () => {
          // Each of these is a connection, and so a handshake, between the two proxies.
          const call = fixture.toService(7000, { speaks: 'tcp' });
          handshakes = await oneCallUnder(fixture, { caller: raw, call, expected: echoed() }, async () => {
            await eventually(
              `${rotations} rotations`,
              async () => {
                serials.backend.add((await leafShownBy(onlooker, backend)).serial);
                serials.frontend.add((await leafShownBy(onlooker, frontend)).serial);
                const seen = [serials.backend.size, serials.frontend.size];
                if (Math.min(...seen) > rotations) return true;
                throw new Error(`serials seen: ${seen.join(' and ')}`);
              },
              rotatedWithinMs,
            );
          });
        });
        const taken = [await leafTimes(backend), await leafTimes(frontend)].map(({ taken }) => taken);
        observer.check('proxy', () => assert.deepEqual(taken, [serials.backend.size, serials.frontend.size]));
        await fixture.expect(raw, open, echoedAgain);
        for (const kept of [{ connection: 'kept-1' }, { connection: 'kept-2', speaks: 'http2' }] as const) {
          const outcome = await fixture.expect(frontend, fixture.toService(8080, kept), served());
          observer.check('client', () => assert.ok(outcome.kind === 'answered' && outcome.opened === 1));
        }
        return `${calls}, ${handshakes} handshakes; ${serials.backend.size} serials at backend, ${serials.frontend.size} at frontend`;
      }),
    ),
});
