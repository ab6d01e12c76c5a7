import assert from 'node:assert/strict';
import type { Call } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Manifest } from '../rig/manifests.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { expectOutcome } from './expectations.ts';
import { Fixture } from './fixture.ts';
import type { Scenario } from './scenario.ts';

interface RouteSpec {
  readonly name: string;
  readonly condition: Readonly<Record<string, unknown>>;
  readonly isRetryable?: boolean;
  readonly timeout?: string;
}

const openToAll = { 'config.linkerd.io/default-inbound-policy': 'all-authenticated' };

/** Written in `namespace`, about the fixture's Service. */
const profileIn = (
  namespace: string,
  fixture: Fixture,
  routes: readonly RouteSpec[],
  more: Readonly<Record<string, unknown>> = {},
): Manifest => ({
  apiVersion: 'linkerd.io/v1alpha2',
  kind: 'ServiceProfile',
  metadata: { namespace, name: nameOf(fixture) },
  spec: { routes, ...more },
});

const nameOf = ({ namespace }: Fixture): string => `backend.${namespace}.svc.cluster.local`;

const below = (name: string, path: string, more: Partial<RouteSpec> = {}): RouteSpec => ({
  name,
  condition: { pathRegex: `${path}/.*` },
  ...more,
});

/** A call by the Service's whole name, by which the proxy of the server asks for the profile, too. */
const call = (fixture: Fixture, path: string, more: Partial<Call> = {}): Call =>
  fixture.toService(8080, { path, authority: `${nameOf(fixture)}:8080`, ...more });

const counted = async (pod: Pod, direction: 'inbound' | 'outbound', route: string): Promise<number> =>
  total(await pod.metrics(), 'route_response_total', { direction, rt_route: route });

/** Calls until the client's proxy counts a call by that route, or no longer does; answers how long that took. */
const untilRouted = async (from: Pod, one: Call, route: string, wanted = true): Promise<number> => {
  const since = performance.now();
  await eventually(`${from.name}'s proxy to count ${one.path} by ${route}: ${wanted}`, async () => {
    const before = await counted(from, 'outbound', route);
    await from.call(one);
    return (await counted(from, 'outbound', route)) > before === wanted ? true : undefined;
  });
  return Math.round(performance.now() - since);
};

/**
 * A proxy chooses between the profile and the policy of an address when it is first called (P:outbound/src/sidecar.rs), so
 * `written` is there before any client is.
 */
const profile = (
  title: string,
  written: (fixture: Fixture) => readonly Manifest[],
  play: (fixture: Fixture, backend: Pod) => Promise<string | undefined>,
): Scenario => ({
  part: 'profile',
  title,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      await fixture.declare(openToAll);
      await fixture.mesh.put(`profile-${fixture.namespace}`, ...written(fixture));
      return play(fixture, await fixture.pod('backend', { ports: { http: 8080 } }));
    }),
});

interface Told {
  /** The client's outcome, and how many requests of it the application saw. */
  readonly client: string;
  readonly application: number;
}

/** One call, as the client, the application and the counters of the client's proxy saw it. */
const expectOne = async (
  fixture: Fixture,
  { from, at, path }: { readonly from: Pod; readonly at: Pod; readonly path: string },
  { route, client, application }: Told & { readonly route: string },
): Promise<void> => {
  const { observer } = fixture;
  const labels = { direction: 'outbound', rt_route: route };
  const counts = async (): Promise<readonly [ours: number, tries: number]> => {
    const samples = await from.metrics();
    return [
      total(samples, 'route_response_total', labels),
      total(samples, 'route_actual_response_total', labels),
    ];
  };
  await at.seen();
  const [before, triesBefore] = await counts();
  const outcome = await from.call(call(fixture, path));
  observer.check('client', () => expectOutcome(outcome, client, path));
  const seen = (await at.seen()).filter((one) => one.path === path);
  observer.check('application', () => assert.equal(seen.length, application, path));
  const grown = await eventually(`the proxy to count ${path} by ${route}`, async () => {
    const [after, triesAfter] = await counts();
    return after > before ? [after - before, triesAfter - triesBefore] : undefined;
  });
  observer.check('proxy', () => assert.deepEqual(grown, [1, application], `${path} by ${route}`));
};

/** What ServiceProfiles do in proxies, which are told the policy of the same Services, too. */
export const serviceProfiles = (): readonly Scenario[] => [
  profile(
    'a ServiceProfile names the routes of requests, to the proxies of both sides',
    (fixture) => [
      profileIn(fixture.namespace, fixture, [
        below('orders', '/orders'),
        { name: 'write', condition: { method: 'POST' } },
      ]),
    ],
    async (fixture, backend) => {
      const { observer } = fixture;
      const frontend = await fixture.pod('frontend');
      const calls: readonly (readonly [method: string, path: string, route: string])[] = [
        ['GET', '/orders/1', 'orders'],
        ['POST', '/carts', 'write'],
        // The first route that fits.
        ['POST', '/orders/1', 'orders'],
      ];
      const counts = async (route: string): Promise<readonly number[]> => [
        await counted(frontend, 'outbound', route),
        await counted(backend, 'inbound', route),
      ];
      for (const [method, path, route] of calls) {
        await backend.seen();
        const before = await counts(route);
        const outcome = await frontend.call(call(fixture, path, { method }));
        observer.check('client', () => expectOutcome(outcome, '200', path));
        const seen = await backend.seen();
        observer.check('application', () => assert.equal(seen.length, 1, path));
        const grown = await eventually(`both proxies to count ${method} ${path} by ${route}`, async () => {
          const after = await counts(route);
          const more = after.map((value, side) => value - (before[side] ?? 0));
          return more.every((value) => value > 0) ? more : undefined;
        });
        observer.check('proxy', () => assert.deepEqual(grown, [1, 1], `${method} ${path}`));
      }
      return undefined;
    },
  ),

  profile(
    "a client's own ServiceProfile goes before the Service's, and comes and goes while it calls",
    (fixture) => [profileIn(fixture.namespace, fixture, [below('of-service', '/orders')])],
    async (fixture, backend) => {
      const { mesh, namespace, observer } = fixture;
      const own = `${namespace}-client`;
      await mesh.namespace(own);
      const frontend = await fixture.pod('frontend', { namespace: own });
      const neighbour = await fixture.pod('neighbour');
      const orders = call(fixture, '/orders/1', { connection: 'kept', speaks: 'http2' });
      const theirs = profileIn(own, fixture, [below('of-client', '/orders')]);
      await untilRouted(frontend, orders, 'of-service');
      await mesh.put(`profile-${own}`, theirs);
      const came = await untilRouted(frontend, orders, 'of-client');
      await untilRouted(neighbour, orders, 'of-service');
      await mesh.remove(`profile-${own}`);
      const went = await untilRouted(frontend, orders, 'of-service');
      const [stayed, ofClient] = [
        await counted(frontend, 'outbound', 'of-client'),
        await counted(neighbour, 'outbound', 'of-client'),
      ];
      observer.check('proxy', () => assert.deepEqual([stayed > 0, ofClient], [true, 0]));
      await mesh.remove(`profile-${namespace}`);
      const ended = await untilRouted(frontend, orders, 'of-service', false);
      await mesh.put(`profile-${namespace}`, profileIn(namespace, fixture, [below('again', '/orders')]));
      const again = await untilRouted(frontend, orders, 'again');
      await backend.seen();
      const last = await frontend.call(orders);
      const seen = await backend.seen();
      observer.check('application', () =>
        assert.deepEqual(
          seen.map(({ path }) => path),
          ['/orders/1'],
        ),
      );
      observer.check('client', () =>
        assert.ok(last.kind === 'answered' && last.status === 200 && last.opened === 1, 'one connection'),
      );
      return `came ${came} ms, went ${went} ms, none ${ended} ms, again ${again} ms after the file`;
    },
  ),

  profile(
    'a retryable route of a ServiceProfile is tried again within its budget, another is not',
    (fixture) => [
      profileIn(fixture.namespace, fixture, [
        below('retried', '/retried', { isRetryable: true }),
        below('once', '/once'),
      ]),
    ],
    async (fixture, at) => {
      const from = await fixture.pod('frontend');
      const once: Told = { client: '503', application: 1 };
      const twice: Told = { client: '200', application: 2 };
      await expectOne(fixture, { from, at, path: '/retried/fails-once/a' }, { route: 'retried', ...twice });
      await expectOne(fixture, { from, at, path: '/once/fails-once/b' }, { route: 'once', ...once });
      await fixture.mesh.put(
        `profile-${fixture.namespace}`,
        profileIn(fixture.namespace, fixture, [below('spent', '/retried', { isRetryable: true })], {
          retryBudget: { retryRatio: 0, minRetriesPerSecond: 0, ttl: '10s' },
        }),
      );
      await untilRouted(from, call(fixture, '/retried/x'), 'spent');
      await expectOne(fixture, { from, at, path: '/retried/fails-once/c' }, { route: 'spent', ...once });
      return undefined;
    },
  ),

  profile(
    'a route of a ServiceProfile ends what takes longer than its timeout',
    (fixture) => [
      profileIn(fixture.namespace, fixture, [
        below('short', '/short', { timeout: '200ms' }),
        below('long', '/long'),
      ]),
    ],
    async (fixture, at) => {
      const from = await fixture.pod('frontend');
      await expectOne(
        fixture,
        { from, at, path: '/long/late/800' },
        { route: 'long', client: '200', application: 1 },
      );
      await at.seen();
      const since = performance.now();
      const outcome = await from.call(call(fixture, '/short/late/5000'));
      const ms = performance.now() - since;
      fixture.observer.check('client', () => {
        expectOutcome(outcome, '504', 'a late answer');
        assert.ok(ms < 3_000, `${ms} ms`);
      });
      const seen = await at.seen();
      fixture.observer.check('application', () => assert.equal(seen.length, 1));
      return `${Math.round(ms)} ms`;
    },
  ),
];
