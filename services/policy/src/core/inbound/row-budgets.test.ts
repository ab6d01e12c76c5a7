import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpMatch } from '@gatehouse/core/inbound/inbound-server';
import { everywhere } from '@gatehouse/core/ip-network';
import { everything } from '@gatehouse/core/label-selector';
import {
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { aSituation, asPod, backend, frontend, verdictOf } from '../../../testing/situation.ts';
import type { RowBudgets } from './row-budgets.ts';

const within = (budgets: Partial<RowBudgets>, said: Partial<Situation>): Situation => {
  const situation = aSituation(said);
  const { cluster } = situation;
  return { ...situation, cluster: { ...cluster, rowBudgets: { ...cluster.rowBudgets, ...budgets } } };
};

const path = (value: string, headers: HttpMatch['headers'] = []): HttpMatch => ({
  path: { kind: 'prefix', value },
  headers,
  queryParams: [],
});
const toAnybody = (name: string) =>
  anAuthorizationPolicy({ name: `for-${name}`, target: { kind: 'HTTPRoute', name }, authentications: [] });

describe('the matches of attached routes', () => {
  /** Everything is open, but for `/admin`, which the newest route keeps for nobody. */
  const admin = anHttpRoute({
    name: 'admin',
    createdAt: 2,
    rules: [{ matches: [path('/admin')], filters: [] }],
  });
  const everyPath = anHttpRoute({
    name: 'everything',
    createdAt: 1,
    rules: [{ matches: [path('/')], filters: [] }],
  });
  const routed = (budgets: Partial<RowBudgets>): Situation =>
    within(budgets, {
      servers: [aServer()],
      routes: [everyPath, admin],
      authorizationPolicies: [toAnybody('everything')],
    });

  it('fit up to the budget of a port', () => {
    assert.deepEqual(findingsOf(routed({ attachedMatches: 2 })), []);
    assert.equal(verdictOf(routed({ attachedMatches: 2 }), asPod(frontend), 'GET /other'), 'allowed');
  });

  it('beyond it close the port to grants on single requests, so that a route left out opens nothing', () => {
    const situation = routed({ attachedMatches: 1 });
    assert.deepEqual(findingsOf(situation), ['InDoubt for-everything', 'TooManyMatches admin']);
    const row = compileSituation(situation);
    assert('routes' in row.server.protocol);
    assert.deepEqual(
      row.server.protocol.routes.map(({ authorizations }) => authorizations),
      [[]],
    );
    assert.deepEqual(row.server.authorizations, []);
    assert.match(
      row.findings.at(-1)?.message ?? '',
      /more than 1 matches on port 8080 \(GATEHOUSE_MAX_ATTACHED_MATCHES\)/,
    );
  });

  it('leave what is granted on the whole Server as it is', () => {
    const situation = routed({ attachedMatches: 1 });
    const server = anAuthorizationPolicy({ target: { kind: 'Server', name: 'web' }, authentications: [] });
    const { server: row } = compileSituation({
      ...situation,
      servers: [aServer({ name: 'web' })],
      authorizationPolicies: [server],
    });
    assert.equal(row.authorizations.length, 1);
  });

  it('are at most 2,048 unless a setting says otherwise', () => {
    const matches = Array.from({ length: 1_024 }, (_, at) => path(`/p${at}`));
    const routes = [1, 2, 3].map((createdAt) =>
      anHttpRoute({ name: `r${createdAt}`, createdAt, rules: [{ matches, filters: [] }] }),
    );
    assert.deepEqual(findingsOf(aSituation({ servers: [aServer()], routes })), ['TooManyMatches r3']);
  });
});

describe('the steps of a row', () => {
  const grant = (
    name: string,
    createdAt: number,
    rules?: readonly { readonly methods: readonly string[] }[],
  ) =>
    aNetworkAuthenticationPolicy({
      name,
      createdAt,
      target: everything,
      ports: 'all',
      sources: [{ networks: everywhere }],
      ...(rules === undefined ? {} : { rules }),
    });

  it('go to the older policies; the newest grant nothing, and are told so', () => {
    const policies = [grant('newest', 3), grant('old', 1), grant('new', 2)];
    const situation = within({ compileSteps: 90 }, { networkAuthenticationPolicies: policies });
    assert.deepEqual(findingsOf(situation), ['TooManySteps newest']);
    const row = compileSituation(situation);
    assert.equal(row.server.authorizations.length, 2);
    assert(row.steps <= 90);
    assert.deepEqual(
      row.contributions.map(({ object, effect }) => `${object.name} ${effect.kind}`),
      ['old closes', 'old grants', 'new closes', 'new grants', 'newest closes'],
    );
  });

  it('go to the older rules too', () => {
    const policies = [1, 2, 3].map((at) => grant(`p${at}`, at, [{ methods: [`M${at}`] }]));
    const situation = within({ compileSteps: 150 }, { networkAuthenticationPolicies: policies });
    assert.deepEqual(findingsOf(situation), ['TooManySteps p3']);
    assert.match(
      compileSituation(situation).findings[0]?.message ?? '',
      /150 steps .*GATEHOUSE_MAX_COMPILE_STEPS/,
    );
  });

  it('go to the older AuthorizationPolicies', () => {
    const authorizationPolicies = ['a', 'b', 'c'].map((name, createdAt) =>
      anAuthorizationPolicy({ name, createdAt, target: { kind: 'Namespace' }, authentications: [] }),
    );
    const situation = within({ compileSteps: 90 }, { servers: [aServer()], authorizationPolicies });
    assert.deepEqual(findingsOf(situation), ['TooManySteps c']);
  });

  it('are the same whatever was compiled before', () => {
    const policies = [grant('a', 1, [{ methods: ['GET'] }]), grant('b', 2)];
    const steps = (): number =>
      compileSituation(aSituation({ networkAuthenticationPolicies: policies })).steps;
    assert.equal(steps(), steps());
  });

  it('bound what probes cost beside conditions that overlap in every way', () => {
    const probes = Array.from({ length: 32 }, (_, at) => ({
      kind: 'http' as const,
      port: 8080,
      path: `/p${at}`,
    }));
    const target = { ...backend, spec: { ...backend.spec, probes } };
    const header = (at: number) => ({ name: `x-${at}`, kind: 'exact' as const, value: '1' });
    // The sets of ten headers, and then one that makes too many of them, of which each probe hears last.
    const sets = Array.from({ length: 1_022 }, (_, set) =>
      Array.from({ length: 10 }, (_each, at) => at).filter((at) => ((set + 1) >> at) & 1),
    );
    const matches = [...sets, [10]].map((set) => path('/', set.map(header)));
    const routes = [anHttpRoute({ rules: [{ matches, filters: [] }] })];
    const started = process.threadCpuUsage();
    const findings = findingsOf(aSituation({ target, servers: [aServer()], routes }));
    const { user, system } = process.threadCpuUsage(started);
    assert.equal(findings.filter((one) => one === 'ProbeNotOpened workload').length, 32);
    // Without the bound it took 15 s.
    assert(user + system < 1_500_000, `${(user + system) / 1_000} ms`);
  });
});
