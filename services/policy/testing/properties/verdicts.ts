import assert from 'node:assert/strict';
import {
  type Attempt,
  type ClientTls,
  evaluate,
  type Verdict,
} from '@gatehouse/core/inbound/evaluate-inbound';
import type { Authentication, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { clientLimit, rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import fc from 'fast-check';
import type { CompiledPort } from '../../src/core/inbound/model.ts';
import { encodeInbound } from '../../src/ports/inbound/encode-inbound.ts';
import { compileSituation } from '../compile-situation.ts';
import { type Decision, decide } from '../decide/decide.ts';
import { decideLimits, type Limits } from '../decide/limits.ts';
import { type Case, cases } from '../random-situation.ts';
import { count, type Seen } from './seen.ts';

/** What of the property may be other: a test mutates the compiler, or looks at some situations only. */
export interface VerdictScope {
  readonly compile?: typeof compileSituation;
  readonly from?: typeof cases;
  readonly seen?: Seen;
}

/** A proxy that enforces the compiled row gives the verdict that the policies give. */
export const verdictsAgree = ({
  compile = compileSituation,
  from = cases,
  seen = new Map(),
}: VerdictScope = {}) =>
  fc.property(from, ({ situation, attempts }) => {
    const compiled = compile(situation);
    // The oracle knows no limit of matches.
    fc.pre(!compiled.findings.some(({ reason }) => reason === 'TooManyMatches' || reason === 'TooManySteps'));
    // Through the wire, as a proxy gets it: a message that it could not read would close the port.
    const received = decodeInbound(encodeInbound(compiled.server), checkProxyRegex);
    assert(received.ok);
    for (const attempt of attempts) {
      const verdict = evaluate(received.value, attempt, situation.matchesRegex);
      const decision = decide(situation, attempt);
      assert.deepEqual(outcomeOf(verdict), decision);
      if (attempt.traffic.kind === 'http')
        assert.deepEqual(limitsOf(received.value, attempt), decideLimits(situation, attempt.tls));
      for (const name of coverage({ situation, compiled, attempt, verdict, decision })) count(seen, name);
    }
  });

const limitsOf = ({ protocol }: InboundServer, { tls }: Attempt): Limits => {
  const limit = rateLimitOf(protocol);
  const client = limit && clientLimit(limit, tls);
  return {
    together: limit?.total ?? Number.POSITIVE_INFINITY,
    client: client?.requestsPerSecond ?? Number.POSITIVE_INFINITY,
  };
};

const outcomeOf = (verdict: Verdict): Decision =>
  verdict.kind === 'allowed'
    ? { kind: 'allowed', filters: verdict.filters }
    : { kind: 'denied', reason: verdict.reason };

/** Outcomes without which the property could hold because nothing ever happened. */
export const verdictClasses = [
  'allowed: default policy',
  'allowed: policy without rules',
  'allowed: policy without rules, raw TCP',
  'allowed: rule',
  'allowed: where rules of several policies meet',
  'allowed: rule on gRPC',
  'allowed: AuthorizationPolicy on Server',
  'allowed: AuthorizationPolicy on route',
  'allowed: AuthorizationPolicy on GRPCRoute',
  'allowed: ServerAuthorization',
  'allowed: probe',
  'allowed: probe under rules',
  'allowed: probe under routes',
  'allowed: another client at a probe under routes',
  'allowed: localhost',
  'allowed: route with filters',
  'allowed: limited in all',
  'allowed: limited by identity',
  'allowed: limited by an override',
  'allowed: limited by the lowest of several',
  'denied: unauthorized',
  'denied: unauthorized raw TCP',
  'denied: no-route',
  'denied: call without route',
  'denied: not-http',
  'denied: unnormalised path under rules',
  'denied: shared identity at another address',
  'denied: selected address without the identity',
  'denied: closed by something rejected',
  'denied: closed by an unreadable manifest',
  'denied: audited policy would admit',
  'denied: rules where routes are attached',
  'denied: rules on an opaque or TLS port',
  'denied: route of another protocol',
] as const;

function* coverage(seen: {
  readonly situation: Case['situation'];
  readonly compiled: CompiledPort;
  readonly attempt: Attempt;
  readonly verdict: Verdict;
  readonly decision: Decision;
}): Generator<(typeof verdictClasses)[number]> {
  const { situation, compiled, attempt, verdict } = seen;
  const { protocol } = compiled.server;
  const isTcp = attempt.traffic.kind === 'tcp';
  const routed = compiled.contributions.some(({ effect }) => effect.kind === 'routes');
  const ruled = compiled.contributions.some(({ effect }) => effect.kind === 'grants-requests');
  if (verdict.kind === 'allowed') {
    const { authorization, route } = verdict;
    const by = authorization.kind === 'default' ? authorization.name : authorization.resource.kind;
    const onRoute = route?.kind === 'resource' ? route.resource.kind : route?.name;
    const isRule = onRoute === 'networkauthenticationpolicy' || onRoute === 'rules';
    const byRoute = compiled.contributions.some(
      ({ object, effect }) =>
        authorization.kind === 'resource' &&
        object.name === authorization.resource.name &&
        effect.kind === 'grants-requests',
    );
    if (by === 'localhost') yield 'allowed: localhost';
    else if (by === 'probe') {
      yield 'allowed: probe';
      if (ruled) yield 'allowed: probe under rules';
      if (routed) yield 'allowed: probe under routes';
    } else if (by === 'authorizationpolicy') {
      yield byRoute ? 'allowed: AuthorizationPolicy on route' : 'allowed: AuthorizationPolicy on Server';
      if (byRoute && onRoute === 'GRPCRoute') yield 'allowed: AuthorizationPolicy on GRPCRoute';
      if (routed && onRoute === 'probe') yield 'allowed: another client at a probe under routes';
    } else if (by === 'serverauthorization') yield 'allowed: ServerAuthorization';
    else if (by === 'networkauthenticationpolicy') {
      if (isTcp) yield 'allowed: policy without rules, raw TCP';
      yield byRoute && isRule ? 'allowed: rule' : 'allowed: policy without rules';
      if (byRoute && onRoute === 'rules') yield 'allowed: where rules of several policies meet';
      if (byRoute && isRule && protocol.kind === 'grpc') yield 'allowed: rule on gRPC';
    } else yield 'allowed: default policy';
    const limit = rateLimitOf(protocol);
    if (limit !== undefined && !isTcp) {
      const own = clientLimit(limit, attempt.tls)?.bucket;
      if (limit.total !== undefined) yield 'allowed: limited in all';
      if (own?.startsWith('identity')) yield 'allowed: limited by identity';
      if (own?.startsWith('override')) yield 'allowed: limited by an override';
      const policies = compiled.contributions.filter(({ effect }) => effect.kind === 'limits');
      if (policies.length > 1) yield 'allowed: limited by the lowest of several';
    }
    if (verdict.filters.length > 0) yield 'allowed: route with filters';
    return;
  }
  if (verdict.reason === 'no-route')
    yield protocol.kind === 'grpc' ? 'denied: call without route' : 'denied: no-route';
  else if (verdict.reason === 'not-http') yield 'denied: not-http';
  else yield isTcp ? 'denied: unauthorized raw TCP' : 'denied: unauthorized';
  if (verdict.route?.kind === 'default' && verdict.route.name === 'unnormalized-path') {
    yield 'denied: unnormalised path under rules';
  }
  const grants = compiled.contributions.flatMap(({ effect }) => ('grants' in effect ? effect.grants : []));
  const { tls, client } = attempt;
  if (grants.some(({ authentication }) => isFor(authentication, tls)))
    yield 'denied: shared identity at another address';
  const isSelected = grants.some(({ networks }) =>
    networks.some(({ net }) => net.family === client.family && net.bits === client.bits && net.prefix >= 32),
  );
  if (isSelected && tls.kind !== 'identified') yield 'denied: selected address without the identity';
  if (situation.unreadableManifests === 'some') yield 'denied: closed by an unreadable manifest';
  if (compiled.findings.some(({ reason }) => reason === 'Rejected'))
    yield 'denied: closed by something rejected';
  if (compiled.findings.some(({ reason }) => reason === 'RoutesAttached'))
    yield 'denied: rules where routes are attached';
  if (compiled.findings.some(({ reason }) => reason === 'RulesNeedHTTP'))
    yield 'denied: rules on an opaque or TLS port';
  if (compiled.findings.some(({ reason }) => reason === 'RouteNeedsProtocol'))
    yield 'denied: route of another protocol';
  const enforcing = situation.networkAuthenticationPolicies.map((object) =>
    'mode' in object.spec && object.spec.mode === 'Audit'
      ? { ...object, spec: { ...object.spec, mode: 'Enforce' as const } }
      : object,
  );
  if (decide({ ...situation, networkAuthenticationPolicies: enforcing }, attempt).kind === 'allowed') {
    yield 'denied: audited policy would admit';
  }
}

const isFor = (authentication: Authentication, tls: ClientTls): boolean =>
  tls.kind === 'identified' &&
  authentication.kind === 'identities' &&
  authentication.identities.some((identity) => printIdentity(identity) === tls.name);
