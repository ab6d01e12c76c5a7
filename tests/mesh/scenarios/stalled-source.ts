import { serviceNames } from '../rig/control-plane.ts';
import { eventually } from '../rig/eventually.ts';
import { refused, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow, app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callsUnder, oneCallUnder, steadyAccount } from './steady-calls.ts';
import { withSettings } from './with-settings.ts';

/** Longer than the folder is ever left unread in good times: it is read every 2 s. */
const stallS = 5;
/** Policy looks about once a second how old its watches are. */
const noticedWithinMs = 15_000;

/** The source of all services stalls for less than they bear. */
export const stalledSource = (): Scenario => ({
  part: 'failure',
  title:
    'the source stalls under steady traffic: no request fails, everybody sees how stale it is, and what changed meanwhile is enforced once it is back',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend', { serviceAccount: steadyAccount });
      const newcomer = await fixture.pod('newcomer', { labels: { app: 'frontend' } });
      const intruder = await fixture.pod('intruder');
      const call = fixture.toService(8080);
      const admit = (...apps: readonly string[]) =>
        fixture.put(...apps.map((from) => allow(fixture.namespace, { from, to: 'backend', ports: [8080] })));
      await admit('frontend');
      await fixture.until(frontend, call, '200');
      await fixture.until(intruder, call, '403');
      const staleness = async (): Promise<readonly number[]> =>
        (await Promise.all(serviceNames.map((service) => mesh.controlPlane.staleness(service)))).flat();
      let since = 0;
      const calls = await callsUnder(fixture, frontend, async () => {
        await mesh.source.stall();
        try {
          await admit('intruder');
          await eventually(`all watches to be more than ${stallS} s old`, async () =>
            Math.min(...(await staleness())) > stallS ? true : undefined,
          );
          for (const service of serviceNames) await mesh.controlPlane.untilReady(service);
          await fixture.expect(newcomer, call, served());
          await fixture.expect(intruder, call, refused());
        } finally {
          // The steady caller's right ends with what nobody has seen yet, so it is given back first.
          await admit('intruder', 'frontend');
          since = performance.now();
          await mesh.source.resume();
        }
        await fixture.until(intruder, call, '200');
        since = performance.now() - since;
        await eventually(`all watches to be less than ${stallS} s old`, async () =>
          Math.max(...(await staleness())) < stallS ? true : undefined,
        );
      });
      await admit('intruder');
      await fixture.until(frontend, call, '403');
      return `${calls}; stale for more than ${stallS} s; enforced ${Math.round(since)} ms after the folder was back`;
    }),
});

/** Beyond what policy bears: what is granted to pods' addresses is kept or withdrawn, as `GATEHOUSE_ON_STALE` says. */
export const staleBeyondBound = (onStale: 'hold' | 'deny'): Scenario => ({
  part: 'failure',
  title: `the source stalls beyond GATEHOUSE_MAX_STALENESS with GATEHOUSE_ON_STALE=${onStale}: ${
    onStale === 'hold'
      ? 'everything granted stays'
      : 'what is granted to addresses of pods is withdrawn until it is back, what is granted to an identity stays'
  }`,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      const settings = { GATEHOUSE_MAX_STALENESS: `${stallS}s`, GATEHOUSE_ON_STALE: onStale };
      return withSettings(mesh, { policy: settings }, async () => {
        await fixture.pod('backend', { ports: { http: 8080 } });
        const byAddress = await fixture.pod('frontend', { serviceAccount: 'by-address' });
        const byIdentity = await fixture.pod('batch', { serviceAccount: 'by-identity' });
        const intruder = await fixture.pod('intruder', { serviceAccount: 'intruder' });
        const call = fixture.toService(8080);
        await fixture.put(
          allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }),
          networkAuthenticationPolicy(fixture.namespace, 'batch', {
            target: { selector: app('backend') },
            ports: [{ port: 8080 }],
            sources: [{ serviceAccounts: [{ name: 'by-identity' }] }],
          }),
        );
        await fixture.until(byAddress, call, '200');
        await fixture.until(byIdentity, call, '200');
        const calls = { byIdentity: 0, intruder: 0 };
        let changed = '';
        const whileStale = async (): Promise<void> => {
          await mesh.source.stall();
          try {
            if (onStale === 'hold') {
              await eventually(
                'policy to say that its watch is stale',
                () => staleWarning(fixture),
                noticedWithinMs,
              );
              await fixture.expect(byAddress, call, served());
              changed = 'kept';
            } else {
              const ms = await fixture.until(byAddress, call, {
                outcome: '403',
                withinMs: stallS * 1_000 + noticedWithinMs,
              });
              await fixture.expect(byAddress, call, refused());
              changed = `withdrawn ${(ms / 1_000).toFixed(1)} s after the source stalled`;
            }
          } finally {
            await mesh.source.resume();
          }
          const ms = await fixture.until(byAddress, call, '200');
          changed += `, granted ${Math.round(ms)} ms after it was back`;
        };
        calls.byIdentity = await oneCallUnder(
          fixture,
          { caller: byIdentity, call, expected: served() },
          async () => {
            calls.intruder = await oneCallUnder(
              fixture,
              { caller: intruder, call, expected: refused() },
              whileStale,
            );
          },
        );
        return `${changed}; ${calls.byIdentity} calls by identity all 200, ${calls.intruder} of an intruder all 403`;
      });
    }),
});

/** The service says so in `/v1/health` and in its log; that the bound is passed is told by the age of all its watches. */
const staleWarning = async ({ mesh }: Fixture): Promise<true | undefined> => {
  const ages = await mesh.controlPlane.staleness('policy');
  // One look of policy's later it has acted on it.
  return Math.min(...ages) > stallS + 2 ? true : undefined;
};
