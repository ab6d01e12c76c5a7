import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type Attempt, evaluate, type Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { clientLimit, rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import fc from 'fast-check';
import { compileSituation } from '../compile-situation.ts';
import { decide } from '../decide/decide.ts';
import type { Situation } from '../decide/situation.ts';
import { type PrintableKind, printableKinds } from '../print-object.ts';
import { type Broken, breakage, breakSituation } from '../random-breakage.ts';
import { cases, grpcRoutedCases, routedCases } from '../random-situation.ts';
import { count, type Seen } from './seen.ts';

/** What stands in a situation once an object of it cannot be read. */
export type StandIn = (broken: Broken) => Situation;

export const asItIs: StandIn = (broken) => {
  const situation = broken.with(broken.unreadable);
  return broken.unreadable === undefined ? { ...situation, unreadableManifests: 'some' } : situation;
};

/** Where to look: at which kinds of objects, in which situations. */
export interface Scope {
  readonly seen?: Seen;
  readonly victims?: readonly PrintableKind[];
  readonly from?: typeof cases;
}

/**
 * The property of design §15.1, for objects broken as their authors break them. `seen` counts what was broken, and
 * what that denied.
 */
export const opensNothing = (
  standIn: StandIn,
  {
    seen = new Map(),
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
    count(seen, what);
    for (const attempt of attempts) {
      const was = evaluate(before, attempt, situation.matchesRegex);
      const is = evaluate(row, attempt, situation.matchesRegex);
      if (standIn === asItIs) assert.equal(is.kind, decide(after, attempt).kind, 'the oracle disagrees');
      if (was.kind === 'allowed' && is.kind === 'denied') count(seen, `${what}, which denies`);
      if (was.kind === 'allowed' && is.kind === 'allowed' && attempt.traffic.kind === 'http') {
        const [passed, passes] = [ratesOf(before, attempt), ratesOf(row, attempt)];
        if (passes.some((rate, at) => rate < (passed[at] ?? 0))) count(seen, `${what}, which denies`);
        const isMore = passes.some((rate, at) => rate > (passed[at] ?? 0));
        if (isMore && !mayPassMore(broken, row, is))
          assert.fail(`${what}: more requests pass: ${passed} a second before, ${passes} now`);
      }
      if (was.kind === 'allowed' || is.kind === 'denied' || goesOn(broken, row, is)) continue;
      assert.fail(`${what}: a request that was denied (${was.reason}) is admitted: ${JSON.stringify(is)}`);
    }
  });

/** Requests a second of all clients together, and of the client. */
const ratesOf = ({ protocol }: InboundServer, { tls }: Attempt): readonly number[] => {
  const limit = rateLimitOf(protocol);
  const all = limit?.total ?? Number.POSITIVE_INFINITY;
  const own = limit && clientLimit(limit, tls);
  return [all, Math.min(all, own?.requestsPerSecond ?? Number.POSITIVE_INFINITY)];
};

/** As of admission, and beside a manifest that was never read a limit may be missing as a Server may be. */
const mayPassMore = (
  broken: Broken,
  row: InboundServer,
  is: Extract<Verdict, { kind: 'allowed' }>,
): boolean =>
  goesOn(broken, row, is) ||
  (broken.unreadable === undefined && broken.victim.kind === 'HTTPLocalRateLimitPolicy');

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
