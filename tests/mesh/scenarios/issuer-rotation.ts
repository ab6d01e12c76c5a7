import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../rig/eventually.ts';
import { issuerSecret, issuerSubject } from '../rig/issuer-secret.ts';
import { MountedSecret } from '../rig/mounted-secret.ts';
import type { Pod } from '../rig/pod.ts';
import { refused } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { rootOf } from './own-certificate.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { leafShownBy } from './shown-leaves.ts';
import { callsUnder, steadyAccount } from './steady-calls.ts';
import { withSettings } from './with-settings.ts';

/** A proxy renews at 70 % of what is left, but no sooner than 10 s after an answer (contract/proxy.md §4.3). */
const shortLives = { GATEHOUSE_ISSUANCE_LIFETIME: '15s', GATEHOUSE_CLOCK_SKEW: '1s' } as const;
/** Identity looks at its files every 10 s, and a proxy renews within 12 s; the rest is for a busy machine. */
const rotationWithinMs = 45_000;

export const issuerRotation = (): Scenario => ({
  part: 'time',
  title:
    'a new issuer under the same root, swapped in under steady traffic: no request fails, and the next certificates are its own',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      const secret = new MountedSecret(join(mesh.state.root, `issuer-of-${fixture.namespace}`));
      const root = await rootOf(mesh);
      await secret.put(issuerSecret('issuer before', root));
      const settings = {
        ...shortLives,
        GATEHOUSE_ISSUER_DIR: secret.path,
        GATEHOUSE_TRUST_ANCHORS: mesh.state.trustAnchors,
      };
      return withSettings(mesh, { identity: settings }, async () => {
        const backend = await fixture.pod('backend', { ports: { http: 8080 } });
        const frontend = await fixture.pod('frontend', {
          ports: { http: 8080 },
          serviceAccount: steadyAccount,
        });
        const onlooker = await fixture.pod('onlooker', { meshed: false });
        const issuerOf = async (pod: Pod): Promise<string> => (await leafShownBy(onlooker, pod)).issuer;
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await fixture.until(frontend, fixture.toService(8080), '200');
        for (const pod of [frontend, backend]) {
          assert.equal(await issuerOf(pod), issuerSubject('issuer before'), pod.name);
        }
        let ms = 0;
        const calls = await callsUnder(fixture, frontend, async () => {
          const since = performance.now();
          await secret.put(issuerSecret('issuer after', root));
          for (const pod of [frontend, backend]) {
            await eventually(
              `a certificate of the new issuer at ${pod.name}`,
              async () => ((await issuerOf(pod)) === issuerSubject('issuer after') ? true : undefined),
              rotationWithinMs,
            );
          }
          ms = performance.now() - since;
          // Both ends have met with new certificates, on connections made since.
          await sleep(1_000);
        });
        const intruder = await fixture.pod('intruder');
        await fixture.expect(intruder, fixture.toService(8080), refused());
        return `${calls}; both proxies have the new issuer's ${(ms / 1_000).toFixed(1)} s after the swap`;
      });
    }),
});
