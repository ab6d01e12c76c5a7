import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { labelled } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { printableKinds } from '../../../testing/print-object.ts';
import { asItIs, opensNothing, type Scope, type StandIn } from '../../../testing/properties/opens-nothing.ts';
import type { Seen } from '../../../testing/properties/seen.ts';
import type { Broken } from '../../../testing/random-breakage.ts';
import { grpcRoutedCases, routedCases } from '../../../testing/random-situation.ts';

const runs = 4_000;
const seed = 20_261_201;

it('no object that cannot be read, or placed, admits a request that was denied', () => {
  const seen: Seen = new Map();
  fc.assert(opensNothing(asItIs, { seen }), { numRuns: runs, seed, endOnFailure: false });
  // Otherwise the property could hold because nothing ever happened.
  const missing = printableKinds
    .flatMap((kind) => [`${kind} unreadable, which denies`, `${kind} never read, which denies`])
    .filter((name) => !seen.has(name) && !rare.includes(name));
  assert.deepEqual(missing, [], `too rarely seen: ${JSON.stringify(Object.fromEntries(seen))}`);
});

/** Of a workload that cannot be placed no policy says anything (random-breakage.ts); a namespace's labels matter to few. */
const rare = [
  'Pod never read, which denies',
  'ExternalWorkload never read, which denies',
  'Namespace unreadable, which denies',
];

type Spec = Readonly<Record<string, unknown>>;

/** Leaves out one thing that is remembered of a rejected object. */
const forgetting =
  (field: string, forget: (value: unknown, broken: Broken) => unknown): StandIn =>
  (broken) => {
    const { unreadable } = broken;
    if (unreadable === undefined || !(field in unreadable.spec)) return asItIs(broken);
    const spec = unreadable.spec as Spec;
    const forgetful = { ...spec, [field]: forget(spec[field], broken) };
    return broken.with({ ...unreadable, spec: forgetful } as unknown as KubeObject);
  };

const dropped: StandIn = (broken) =>
  broken.unreadable === undefined ? asItIs(broken) : broken.with(undefined);

const serversOf = ({ before }: Broken): readonly string[] => before.servers.map(({ meta }) => meta.name);

const routes: Scope = { victims: ['HTTPRoute', 'GatewayHTTPRoute'], from: routedCases };
const grpcRoutes: Scope = { victims: ['GRPCRoute'], from: grpcRoutedCases };
const servers: Scope = { victims: ['Server'] };
const serversWithRoutes: Scope = { ...servers, from: routedCases };
const policies: Scope = { victims: ['NetworkAuthenticationPolicy'] };

const limits: Scope = { victims: ['HTTPLocalRateLimitPolicy'] };
const withoutTotal = (kept: unknown): Spec => {
  const { rates, ...rest } = kept as Spec;
  return { ...rest, rates: { ...(rates as Spec), total: undefined } };
};
/** All but the one that it limited. */
const otherServers = ({ victim, before }: Broken): readonly string[] =>
  before.servers
    .map(({ meta }) => meta.name)
    .filter((name) => !('server' in victim.spec) || victim.spec.server !== name);

/** Each rule by which an unreadable object closes, struck out. */
const rules: readonly (readonly [rule: string, where: Scope, struck: StandIn])[] = [
  ['a rejected route stays attached', routes, dropped],
  ['it keeps the requests that could be read', routes, forgetting('keeps', () => [])],
  [
    'where a host or match could not be read, any request may be its own',
    routes,
    forgetting('extent', () => 'known'),
  ],
  [
    'unreadable parents are all Servers of the namespace',
    routes,
    forgetting('attachedTo', (to) => (to === 'all' ? [] : to)),
  ],
  [
    'a route that is perhaps another Server’s gives no request a route',
    routes,
    forgetting('attachedTo', (to, broken) => (to === 'all' ? serversOf(broken) : to)),
  ],
  ['a rejected GRPCRoute stays attached', grpcRoutes, dropped],
  ['it keeps the calls that could be read', grpcRoutes, forgetting('keeps', () => [])],
  [
    'where a service or method could not be read, any call may be its own',
    grpcRoutes,
    forgetting('extent', () => 'known'),
  ],
  [
    'a GRPCRoute that is perhaps another Server’s gives no call a route',
    grpcRoutes,
    forgetting('attachedTo', (to, broken) => (to === 'all' ? serversOf(broken) : to)),
  ],
  ['a rejected Server stays in its place', servers, dropped],
  ['it keeps its protocol', servers, forgetting('proxyProtocol', () => 'unknown')],
  [
    'a protocol that could not be read may be any',
    servers,
    forgetting('proxyProtocol', (protocol) => protocol ?? 'unknown'),
  ],
  [
    'a Server whose pods or port could not be read may be another’s',
    serversWithRoutes,
    forgetting('governs', () => 'surely'),
  ],
  ['a rejected policy closes what it selects', policies, dropped],
  [
    'unreadable pods are all of the namespace, unreadable ports all ports',
    policies,
    forgetting('closes', () => ({ selector: labelled({ no: 'pod' }), ports: [] })),
  ],
  ['a rejected limit stays in its place', limits, dropped],
  ['what could not be read of it is the lowest limit', limits, forgetting('limits', withoutTotal)],
  [
    'an unreadable target of it is every Server',
    limits,
    forgetting('limits', (kept, broken) => ({ ...(kept as Spec), servers: otherServers(broken) })),
  ],
  [
    'where it is perhaps another that limits, both do',
    limits,
    forgetting('limits', (kept) => ({ ...(kept as Spec), applies: 'surely' })),
  ],
  [
    'an unreadable age is before all others',
    serversWithRoutes,
    (broken) => {
      const { unreadable } = broken;
      if (unreadable?.meta.createdAt !== -1) return asItIs(broken);
      return broken.with({ ...unreadable, meta: { ...unreadable.meta, createdAt: 9 } });
    },
  ],
  [
    'a manifest that was never read closes what is granted on requests',
    routes,
    (broken) => ({ ...asItIs(broken), unreadableManifests: 'none' }),
  ],
];

it('each rule by which an unreadable object closes is needed: struck out, the property notices', () => {
  for (const [rule, where, struck] of rules) {
    const { failed } = fc.check(opensNothing(struck, where), { numRuns: 20_000, seed, endOnFailure: true });
    assert.equal(failed, true, `nothing notices that this does not hold: ${rule}`);
  }
  assert.equal(rules.length, 21);
});
