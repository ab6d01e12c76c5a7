import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { evaluate, type Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { labelled } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { compileSituation } from '../../../testing/compile-situation.ts';
import { decide } from '../../../testing/decide/decide.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { type PrintableKind, printableKinds } from '../../../testing/print-object.ts';
import { type Broken, breakage, breakSituation } from '../../../testing/random-breakage.ts';
import { cases, grpcRoutedCases, routedCases } from '../../../testing/random-situation.ts';

/** Raised by `npm run fuzz`; a seed is for repeating what it printed. */
const runs = Number(process.env.GATEHOUSE_FUZZ_RUNS ?? 3_000);
/** Fewer need not meet every kind of outcome. */
const enoughRuns = 3_000;
const seed = Number(process.env.GATEHOUSE_FUZZ_SEED ?? 20_261_201);

/** What stands in a situation once an object of it cannot be read. */
type StandIn = (broken: Broken) => Situation;

const asItIs: StandIn = (broken) => {
  const situation = broken.with(broken.unreadable);
  return broken.unreadable === undefined ? { ...situation, unreadableManifests: 'some' } : situation;
};

/** Where to look: at which kinds of objects, in which situations. */
interface Scope {
  readonly seen?: Map<string, number>;
  readonly victims?: readonly PrintableKind[];
  readonly from?: typeof cases;
}

/**
 * The property of design §15.1, for objects broken as their authors break them. `seen` counts what was broken, and
 * what that denied.
 */
const opensNothing = (
  standIn: StandIn,
  {
    seen = new Map<string, number>(),
    victims = printableKinds,
    from = fc.oneof(cases, routedCases, grpcRoutedCases),
  }: Scope = {},
) =>
  fc.property(from, breakage, ({ situation, attempts }, how) => {
    const broken = breakSituation(situation, how, victims);
    fc.pre(broken !== undefined);
    const after = standIn(broken);
    const [before, row] = [compileSituation(broken.before).server, compileSituation(after).server];
    const what = `${broken.victim.kind} ${broken.unreadable === undefined ? 'never read' : 'unreadable'}`;
    const count = (name: string): unknown => seen.set(name, (seen.get(name) ?? 0) + 1);
    count(what);
    for (const attempt of attempts) {
      const was = evaluate(before, attempt, situation.matchesRegex);
      const is = evaluate(row, attempt, situation.matchesRegex);
      if (standIn === asItIs) assert.equal(is.kind, decide(after, attempt).kind, 'the oracle disagrees');
      if (was.kind === 'allowed' && is.kind === 'denied') count(`${what}, which denies`);
      if (was.kind === 'allowed' || is.kind === 'denied' || goesOn(broken, row, is)) continue;
      assert.fail(`${what}: a request that was denied (${was.reason}) is admitted: ${JSON.stringify(is)}`);
    }
  });

/** What no policy closes, rejected or not, and what design §15.1 leaves open. */
const goesOn = (
  { unreadable, victim }: Broken,
  { authorizations }: InboundServer,
  { authorization }: Extract<Verdict, { kind: 'allowed' }>,
): boolean => {
  const byDefault = authorization.kind === 'default' ? authorization.name : undefined;
  // The pod itself, and kubelet, whose probes are open wherever the protocol lets them be (§6.2).
  if (byDefault === 'localhost' || byDefault === 'probe') return true;
  // Grants on whole ports go on beside a manifest that was never read, whatever Server or route is in it.
  const isOfPort = authorizations.some(({ meta }) => isDeepStrictEqual(meta, authorization));
  return (
    unreadable === undefined &&
    isOfPort &&
    ['Server', 'HTTPRoute', 'GatewayHTTPRoute', 'GRPCRoute'].includes(victim.kind)
  );
};

it('no object that cannot be read, or placed, admits a request that was denied', () => {
  const seen = new Map<string, number>();
  fc.assert(opensNothing(asItIs, { seen }), { numRuns: runs, seed, endOnFailure: false });
  if (runs < enoughRuns) return;
  // Otherwise the property could hold because nothing ever happened.
  const missing = printableKinds
    .flatMap((kind) => [`${kind} unreadable, which denies`, `${kind} never read, which denies`])
    .filter((name) => !seen.has(name) && !rare.includes(name));
  assert.deepEqual(missing, [], `too rarely seen: ${JSON.stringify(Object.fromEntries(seen))}`);
});

/** Of a pod that cannot be placed no policy says anything (random-breakage.ts); a namespace's labels matter to few. */
const rare = ['Pod never read, which denies', 'Namespace unreadable, which denies'];

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
  assert.equal(rules.length, 17);
});
