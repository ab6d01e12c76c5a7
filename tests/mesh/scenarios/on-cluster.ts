import { eventually } from '../rig/eventually.ts';
import { echoed } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { seedStory } from './seed-story.ts';
import { leafShownBy } from './shown-leaves.ts';
import { callsUnder, oneCallUnder, steadyAccount } from './steady-calls.ts';
import { withSettings } from './with-settings.ts';

const rotations = 2;
const settings = { GATEHOUSE_ISSUANCE_LIFETIME: '15s', GATEHOUSE_CLOCK_SKEW: '1s' } as const;

/** Real proxies with tokens that an API server made, whichever way identity reviews them. */
export const onCluster = (reviewer: 'token-review' | 'jwks'): readonly Scenario[] => [
  ...seedStory().map((step): Scenario => ({ ...step, part: 'cluster', title: `${reviewer}: ${step.title}` })),
  renewal(reviewer),
];

const renewal = (reviewer: 'token-review' | 'jwks'): Scenario => ({
  part: 'cluster',
  title: `${reviewer}: proxies renew by tokens of an API server under steady calls, and no call fails`,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080, tcp: 7000 } }, (fixture) =>
      withSettings(mesh, { identity: settings }, async () => {
        const backend = await fixture.pod('backend', { ports: { http: 8080, tcp: 7000 } });
        const frontend = await fixture.pod('frontend', { serviceAccount: steadyAccount });
        const raw = await fixture.pod('raw', { labels: { app: 'frontend' }, serviceAccount: 'raw' });
        const onlooker = await fixture.pod('onlooker', { meshed: false });
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080, 7000] }));
        await fixture.until(frontend, fixture.toService(8080), '200');
        const serials = new Set<string>();
        let handshakes = 0;
        const calls = await callsUnder(fixture, frontend, async () => {
          const call = fixture.toService(7000, { speaks: 'tcp' });
          handshakes = await oneCallUnder(fixture, { caller: raw, call, expected: echoed() }, async () => {
            await eventually(`${rotations} renewals`, async () => {
              serials.add((await leafShownBy(onlooker, backend)).serial);
              return serials.size > rotations ? true : undefined;
            });
          });
        });
        return `${calls}, ${handshakes} handshakes; ${serials.size} serials`;
      }),
    ),
});
