import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { aServer } from '@gatehouse/testing/builders';
import { exact, prefix } from '@gatehouse/testing/inbound-attempt';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { forIntruder, ruledBy, ruledPolicy } from '../../../testing/ruled-situation.ts';
import { asPod, frontend, intruder, verdictOf } from '../../../testing/situation.ts';

describe('on a gRPC Server rules speak of calls', () => {
  const grpc = (...rules: readonly PolicyRule[]): Situation => ({
    ...ruledBy(ruledPolicy('p', rules)),
    servers: [aServer({ proxyProtocol: 'gRPC' })],
  });
  const rows: readonly (readonly [string, PolicyRule, string, boolean])[] = [
    ['Exact /service/method', { paths: [exact('/p.S/M')] }, 'POST /p.S/M', true],
    ['Exact /service/method, another', { paths: [exact('/p.S/M')] }, 'POST /p.S/N', false],
    ['PathPrefix /service', { paths: [prefix('/p.S')] }, 'POST /p.S/N', true],
    ['PathPrefix /service/', { paths: [prefix('/p.S/')] }, 'POST /p.S/N', true],
    ['PathPrefix /service, another', { paths: [prefix('/p.S')] }, 'POST /p.T/N', false],
    ['PathPrefix /service is whole segments', { paths: [prefix('/p')] }, 'POST /p.S/N', false],
    ['PathPrefix /service/method', { paths: [prefix('/p.S/M')] }, 'POST /p.S/M', true],
    ['PathPrefix /', { paths: [prefix('/')] }, 'POST /p.S/M', true],
    ['absent paths: every method', { methods: ['POST'] }, 'POST /p.S/M', true],
    ['absent methods: POST', { paths: [prefix('/p.S')] }, 'GET /p.S/M', false],
    ['methods without POST', { methods: ['GET'] }, 'POST /p.S/M', false],
    ['Exact /service', { paths: [exact('/p.S')] }, 'POST /p.S/M', false],
    ['Exact /service/ names no method', { paths: [exact('/p.S/')] }, 'POST /p.S/', false],
    ['three segments', { paths: [exact('/p.S/M/x')] }, 'POST /p.S/M', false],
    ['headers', { headers: [{ name: 'x-a', value: '1' }] }, 'POST /p.S/M x-a=1', true],
    ['headers, absent', { headers: [{ name: 'x-a', value: '1' }] }, 'POST /p.S/M', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 16));
  for (const [title, rule, traffic, admitted] of rows) {
    it(`${title}: ${traffic} is ${admitted ? 'allowed' : 'refused'}`, () => {
      assert.equal(verdictOf(grpc(rule), asPod(frontend), traffic), admitted ? 'allowed' : 'unauthorized');
    });
  }

  it('rules of several policies are a union there too', () => {
    const situation = {
      ...grpc({ paths: [prefix('/p.S')] }),
      networkAuthenticationPolicies: [
        ruledPolicy('a', [{ paths: [prefix('/p.S')] }]),
        ruledPolicy('b', [{ paths: [exact('/p.S/M')] }], forIntruder),
      ],
    };
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.S/M'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'POST /p.S/M'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'POST /p.S/N'), 'unauthorized');
  });

  it('what is not a call is decided like a call that nobody names: by who is admitted to the whole port', () => {
    const open = { ...grpc(), networkAuthenticationPolicies: [ruledPolicy('all', [], { rules: undefined })] };
    for (const traffic of ['GET /', 'POST /p', 'POST /p.S/M']) {
      assert.equal(verdictOf(open, asPod(frontend), traffic), 'allowed');
      assert.equal(verdictOf(open, asPod(intruder), traffic), 'unauthorized');
    }
  });

  it('a rule that no call can match is reported', () => {
    const { findings } = compileSituation(grpc({ methods: ['GET'] }, { methods: ['POST'] }));
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['RuleNeverMatches'],
    );
    assert.deepEqual(compileSituation(grpc({ methods: ['POST'] })).findings, []);
  });
});
