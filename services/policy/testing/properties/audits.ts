import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type Attempt, evaluate, type Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import fc from 'fast-check';
import type { CompiledPort } from '../../src/core/inbound/model.ts';
import { encodeInbound } from '../../src/ports/inbound/encode-inbound.ts';
import { compileSituation } from '../compile-situation.ts';
import { decide } from '../decide/decide.ts';
import { decideLimits } from '../decide/limits.ts';
import type { Situation } from '../decide/situation.ts';
import { auditPolicies } from '../random-policies.ts';
import { auditedCases, cases } from '../random-situation.ts';
import { count, type Seen } from './seen.ts';

/** What of the properties may be other: a test mutates the compiler. */
export interface AuditScope {
  readonly compile?: typeof compileSituation;
  readonly seen?: Seen;
}

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

const isAudit = ({ spec }: Policy): boolean => !isRejected(spec) && spec.mode === 'Audit';

const withPolicies = (situation: Situation, policies: readonly Policy[]): Situation => ({
  ...situation,
  networkAuthenticationPolicies: policies,
});

/** Audit policies, added or removed, change no decision: not by what the objects say, not by what a proxy makes of its row. */
export const auditsDecideNothing = ({ compile = compileSituation, seen = new Map() }: AuditScope = {}) =>
  fc.property(fc.oneof(cases, auditedCases), auditPolicies, ({ situation, attempts }, more) => {
    const own = situation.networkAuthenticationPolicies;
    const unaudited = withPolicies(
      situation,
      own.filter((policy) => !isAudit(policy)),
    );
    const added = more.map((policy, at) => ({ ...policy, meta: { ...policy.meta, name: `audit-${at}` } }));
    const audited = withPolicies(situation, [...own, ...added]);
    const rows = [compile(unaudited), compile(audited)] as const;
    for (const attempt of attempts) {
      const [before, after] = rows.map((row) => verdictOf(row, situation, attempt));
      assert.deepEqual(outcomeOf(after), outcomeOf(before));
      assert.deepEqual(decide(audited, attempt), decide(unaudited, attempt));
      assert.deepEqual(decideLimits(audited, attempt.tls), decideLimits(unaudited, attempt.tls));
      count(seen, before?.kind ?? '');
    }
    const [before, after] = rows;
    // More than any attempt could tell: but for the labels of what the base policy admits, the row is the same.
    const { audit, ...row } = after;
    const counting = audit?.counting;
    const authorizations =
      counting === undefined || counting.kind === 'none' ? row.server.authorizations : counting.grants;
    assert.deepEqual({ ...row.server, authorizations }, before.server);
    assert.deepEqual([row.governedBy, row.contributions], [before.governedBy, before.contributions]);
    count(seen, counting?.kind ?? 'not selected');
  });

/** What `auditsDecideNothing` must have met. */
export const auditClasses = ['allowed', 'denied', 'exact', 'upper-bound', 'none', 'not selected'] as const;

/** What enforcing the Audit policies would refuse is what the proxy counts under the second label. */
export const refusalsAreCounted = ({ compile = compileSituation, seen = new Map() }: AuditScope = {}) =>
  fc.property(fc.oneof(auditedCases, cases), ({ situation, attempts }) => {
    const compiled = compile(situation);
    const { audit } = compiled;
    fc.pre(audit !== undefined);
    const { counting } = audit;
    if (counting.kind === 'none') {
      count(seen, `none: ${counting.why}`);
      return;
    }
    const enforced = withPolicies(situation, situation.networkAuthenticationPolicies.map(enforcedOf));
    // What only rules would admit no proxy can count apart.
    const ruleless = withPolicies(enforced, enforced.networkAuthenticationPolicies.map(withoutRules));
    for (const attempt of attempts) {
      const verdict = verdictOf(compiled, situation, attempt);
      const isCounted: boolean =
        verdict.kind === 'allowed' && isDeepStrictEqual(verdict.authorization, counting.refused);
      const isRefused = decide(enforced, attempt).kind === 'denied';
      // The proxy adds its own loopback last, so what comes from there is counted with the rest.
      if (isLoopback(attempt)) continue;
      const isAllowed = decide(situation, attempt).kind === 'allowed';
      assert.equal(isCounted, isAllowed && decide(ruleless, attempt).kind === 'denied');
      if (counting.kind === 'exact') assert.equal(isCounted, isAllowed && isRefused);
      else if (isAllowed && isRefused) assert.ok(isCounted);
      for (const name of coverage({ counting, verdict, attempt, isCounted, isRefused })) count(seen, name);
    }
  });

export const countingClasses = [
  'none: server',
  'none: closed',
  'exact: counted as refused',
  'exact: counted as refused, raw TCP',
  'exact: counted as admitted',
  'exact: denied anyway',
  'exact: probe',
  'upper-bound: counted as refused',
  'upper-bound: counted as refused, admitted by rules',
  'upper-bound: counted as admitted',
  'one policy',
  'several policies',
] as const;

function* coverage({
  counting,
  verdict,
  attempt,
  isCounted,
  isRefused,
}: {
  readonly counting: Exclude<NonNullable<CompiledPort['audit']>['counting'], { kind: 'none' }>;
  readonly verdict: Verdict;
  readonly attempt: Attempt;
  readonly isCounted: boolean;
  readonly isRefused: boolean;
}): Generator<string> {
  const { kind, refused } = counting;
  yield refused.kind === 'resource' ? 'one policy' : 'several policies';
  if (verdict.kind === 'denied') yield `${kind}: denied anyway`;
  else if (isCounted) {
    yield `${kind}: counted as refused`;
    if (attempt.traffic.kind === 'tcp') yield `${kind}: counted as refused, raw TCP`;
    if (!isRefused) yield `${kind}: counted as refused, admitted by rules`;
  } else yield verdict.authorization.kind === 'resource' ? `${kind}: counted as admitted` : `${kind}: probe`;
}

/** Through the wire, as a proxy gets it. */
const verdictOf = ({ server }: CompiledPort, { matchesRegex }: Situation, attempt: Attempt): Verdict => {
  const received = decodeInbound(encodeInbound(server), checkProxyRegex);
  assert(received.ok);
  return evaluate(received.value, attempt, matchesRegex);
};

/** Without who is said to have admitted it. */
const outcomeOf = (verdict: Verdict | undefined): unknown => {
  if (verdict?.kind !== 'allowed') return verdict;
  const { authorization: _, ...outcome } = verdict;
  return outcome;
};

const changed =
  (change: (spec: NetworkAuthenticationPolicySpec) => NetworkAuthenticationPolicySpec) =>
  (policy: Policy): Policy =>
    isRejected(policy.spec) ? policy : { ...policy, spec: change(policy.spec) };

const enforcedOf = changed((spec) => ({ ...spec, mode: 'Enforce' }));
const withoutRules = changed((spec) => (spec.rules === undefined ? spec : { ...spec, rules: [] }));

const isLoopback = ({ client: { family, bits } }: Attempt): boolean =>
  bits === (family === 4 ? 0x7f000001n : 1n);
