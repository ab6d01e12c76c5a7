import { serviceNames } from '../rig/control-plane.ts';
import { eventually } from '../rig/eventually.ts';
import { refused, served } from './expectations.ts';
import { allow, app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
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
  run: (mesh, witness) =>
    Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
      await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend', { serviceAccount: steadyAccount });
      const newcomer = await stage.pod('newcomer', { labels: { app: 'frontend' } });
      const intruder = await stage.pod('intruder');
      const call = stage.toService(8080);
      const admit = (...apps: readonly string[]) =>
        stage.put(...apps.map((from) => allow(stage.namespace, { from, to: 'backend', ports: [8080] })));
      await admit('frontend');
      await stage.until(frontend, call, '200');
      await stage.until(intruder, call, '403');
      const staleness = async (): Promise<readonly number[]> =>
        (await Promise.all(serviceNames.map((service) => mesh.controlPlane.staleness(service)))).flat();
      let since = 0;
      const calls = await callsUnder(stage, frontend, async () => {
        await mesh.world.stall();
        try {
          await admit('intruder');
          await eventually(`all watches to be more than ${stallS} s old`, async () =>
            Math.min(...(await staleness())) > stallS ? true : undefined,
          );
          for (const service of serviceNames) await mesh.controlPlane.untilReady(service);
          await stage.expect(newcomer, call, served());
          await stage.expect(intruder, call, refused());
        } finally {
          // The steady caller's right ends with what nobody has seen yet, so it is given back first.
          await admit('intruder', 'frontend');
          since = performance.now();
          await mesh.world.resume();
        }
        await stage.until(intruder, call, '200');
        since = performance.now() - since;
        await eventually(`all watches to be less than ${stallS} s old`, async () =>
          Math.max(...(await staleness())) < stallS ? true : undefined,
        );
      });
      await admit('intruder');
      await stage.until(frontend, call, '403');
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
  run: (mesh, witness) =>
    Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
      const settings = { GATEHOUSE_MAX_STALENESS: `${stallS}s`, GATEHOUSE_ON_STALE: onStale };
      return withSettings(mesh, { policy: settings }, async () => {
        await stage.pod('backend', { ports: { http: 8080 } });
        const byAddress = await stage.pod('frontend', { serviceAccount: 'by-address' });
        const byIdentity = await stage.pod('batch', { serviceAccount: 'by-identity' });
        const intruder = await stage.pod('intruder', { serviceAccount: 'intruder' });
        const call = stage.toService(8080);
        await stage.put(
          allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }),
          networkAuthenticationPolicy(stage.namespace, 'batch', {
            target: { selector: app('backend') },
            ports: [{ port: 8080 }],
            sources: [{ serviceAccounts: [{ name: 'by-identity' }] }],
          }),
        );
        await stage.until(byAddress, call, '200');
        await stage.until(byIdentity, call, '200');
        const calls = { byIdentity: 0, intruder: 0 };
        let changed = '';
        const whileStale = async (): Promise<void> => {
          await mesh.world.stall();
          try {
            if (onStale === 'hold') {
              await eventually(
                'policy to say that its watch is stale',
                () => staleWarning(stage),
                noticedWithinMs,
              );
              await stage.expect(byAddress, call, served());
              changed = 'kept';
            } else {
              const ms = await stage.until(byAddress, call, {
                outcome: '403',
                withinMs: stallS * 1_000 + noticedWithinMs,
              });
              await stage.expect(byAddress, call, refused());
              changed = `withdrawn ${(ms / 1_000).toFixed(1)} s after the source stalled`;
            }
          } finally {
            await mesh.world.resume();
          }
          const ms = await stage.until(byAddress, call, '200');
          changed += `, granted ${Math.round(ms)} ms after it was back`;
        };
        calls.byIdentity = await oneCallUnder(
          stage,
          { caller: byIdentity, call, expected: served() },
          async () => {
            calls.intruder = await oneCallUnder(
              stage,
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
const staleWarning = async ({ mesh }: Stage): Promise<true | undefined> => {
  const ages = await mesh.controlPlane.staleness('policy');
  // One look of policy's later it has acted on it.
  return Math.min(...ages) > stallS + 2 ? true : undefined;
};
