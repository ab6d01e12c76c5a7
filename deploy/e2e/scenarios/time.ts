import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { anAuthority } from '@gatehouse/shared/testing/certificates';
import { eventually } from '../rig/eventually.ts';
import { MountedSecret } from '../rig/mounted-secret.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import type { RealMesh } from '../rig/real-mesh.ts';
import { expectOutcome } from './expectations.ts';
import { rootOf } from './own-certificate.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import { callsUnder, steadyAccount } from './steady-calls.ts';

/** A proxy renews at 70 % of what is left, but no sooner than 10 s after an answer (contract/proxy.md §4.3). */
const lifetime = '15s';
const watchedMs = 35_000;
// Skew is added to the life; with much of it the first certificate outlives what we watch.
const shortLives = { GATEHOUSE_ISSUANCE_LIFETIME: lifetime, GATEHOUSE_CLOCK_SKEW: '1s' } as const;
/** Identity looks at its files every 10 s, and a proxy renews within 12 s; the rest is for a busy machine. */
const rotationWithinMs = 45_000;

const refreshes = async (pod: Pod): Promise<number> =>
  total(await pod.metrics(), 'control_identity_cert_refreshes_total', { result: 'ok' });

const issuerSubject = (name: string): string => `CN=${name}`;

/** An issuer below the mesh's root, as cert-manager would leave it in a Secret. */
const issuerSecret = async (mesh: RealMesh, name: string): Promise<Readonly<Record<string, string>>> => {
  const issuer = anAuthority({ name, issuedBy: await rootOf(mesh) });
  const key = issuer.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { 'tls.crt': issuer.pem, 'tls.key': key };
};

/** Identity with other settings for as long as `during` lasts. */
const withIdentity = async (
  mesh: RealMesh,
  settings: Readonly<Record<string, string>>,
  during: () => Promise<string>,
): Promise<string> => {
  const restart = async (env: Readonly<Record<string, string>>): Promise<void> => {
    await mesh.controlPlane.kill('identity');
    mesh.controlPlane.start('identity', env);
    await mesh.controlPlane.untilReady('identity');
  };
  await restart(settings);
  try {
    return await during();
  } finally {
    await restart({});
  }
};

/** What only time brings. */
export const passagesOfTime = (): readonly Scenario[] => [
  {
    part: 'time',
    title: `certificates of ${lifetime} rotate under steady traffic: no request fails`,
    run: (mesh, witness) =>
      Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
        return withIdentity(mesh, shortLives, async () => {
          const backend = await stage.pod('backend', { ports: { http: 8080 } });
          const frontend = await stage.pod('frontend', { serviceAccount: steadyAccount });
          await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
          await stage.until(frontend, stage.toService(8080), '200');
          const calls = await callsUnder(stage, frontend, async () => {
            await sleep(watchedMs);
          });
          const counts = [await refreshes(frontend), await refreshes(backend)];
          for (const count of counts) assert.ok(count >= 3, `refreshes: ${counts.join(' and ')}`);
          return `${calls}; ${counts.join(' and ')} certificates`;
        });
      }),
  },
  {
    part: 'time',
    title:
      'a new issuer under the same root, swapped in under steady traffic: no request fails, and the next certificates are its own',
    run: (mesh, witness) =>
      Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
        const secret = new MountedSecret(join(mesh.state.root, `issuer-of-${stage.namespace}`));
        await secret.put(await issuerSecret(mesh, 'issuer before'));
        const settings = {
          ...shortLives,
          GATEHOUSE_ISSUER_DIR: secret.path,
          GATEHOUSE_TRUST_ANCHORS: mesh.state.trustAnchors,
        };
        return withIdentity(mesh, settings, async () => {
          const backend = await stage.pod('backend', { ports: { http: 8080 } });
          const frontend = await stage.pod('frontend', { ports: { http: 8080 } });
          const onlooker = await stage.pod('onlooker', { meshed: false });
          const issuerOf = async ({ address: host, identity: serverName }: Pod): Promise<string> =>
            (await onlooker.hand.ask({ kind: 'certificate', host, port: 8080, serverName })).issuer;
          await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
          await stage.until(frontend, stage.toService(8080), '200');
          for (const pod of [frontend, backend]) {
            assert.equal(await issuerOf(pod), issuerSubject('issuer before'), pod.name);
          }
          let ms = 0;
          const calls = await callsUnder(stage, frontend, async () => {
            const since = performance.now();
            await secret.put(await issuerSecret(mesh, 'issuer after'));
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
          const intruder = await stage.pod('intruder');
          await stage.until(intruder, stage.toService(8080), '403');
          return `${calls}; both proxies have the new issuer's ${(ms / 1_000).toFixed(1)} s after the swap`;
        });
      }),
  },
  {
    part: 'time',
    title: 'a proxy that was killed comes back with its policy, and admits nobody else meanwhile',
    run: (mesh, witness) =>
      Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
        const backend = await stage.pod('backend', { ports: { http: 8080 } });
        const frontend = await stage.pod('frontend', { serviceAccount: steadyAccount });
        const intruder = await stage.pod('intruder');
        await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await stage.until(frontend, stage.toService(8080), '200');
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
        await stage.until(frontend, stage.toService(8080), '200');
        const ms = performance.now() - since;
        expectOutcome(await intruder.call(stage.toService(8080)), '403', 'intruder');
        return `${Math.round(ms)} ms`;
      }),
  },
];
