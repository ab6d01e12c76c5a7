import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  anAttempt,
  anybody,
  aRequest,
  aServerRow,
  defaultMeta,
  matchesRegex,
  valueMatch,
} from '@gatehouse/testing/inbound-attempt';
import { evaluate } from './evaluate-inbound.ts';
import type { GrpcMatch, GrpcRoute } from './inbound-server.ts';
import type { HttpRequest } from './match-request.ts';

describe('a gRPC port routes calls by service and method', () => {
  const call = (said: Partial<GrpcMatch>): GrpcMatch => ({ service: '', method: '', headers: [], ...said });
  const chosenCall = (
    lists: readonly (readonly GrpcMatch[])[],
    request: Partial<HttpRequest>,
  ): number | undefined => {
    const routes = lists.map(
      (matches, index): GrpcRoute => ({
        meta: defaultMeta(`${index}`),
        hosts: [],
        authorizations: [],
        rules: [{ matches, filters: [] }],
      }),
    );
    const server = aServerRow({ protocol: { kind: 'grpc', routes }, authorizations: [anybody('it')] });
    const traffic = { kind: 'http', ...aRequest({ method: 'POST', ...request }) } as const;
    const verdict = evaluate(server, anAttempt({ traffic }), matchesRegex);
    return verdict.kind === 'allowed' && verdict.route?.kind === 'default'
      ? Number(verdict.route.name)
      : undefined;
  };

  const rows: readonly (readonly [string, GrpcMatch, Partial<HttpRequest>, boolean])[] = [
    ['service and method', call({ service: 'p.S', method: 'M' }), { target: '/p.S/M' }, true],
    ['another method', call({ service: 'p.S', method: 'M' }), { target: '/p.S/N' }, false],
    ['service alone', call({ service: 'p.S' }), { target: '/p.S/N' }, true],
    ['method alone', call({ method: 'N' }), { target: '/p.S/N' }, true],
    ['any call', call({}), { target: '/p.S/N' }, true],
    ['only POST', call({}), { method: 'GET', target: '/p.S/N' }, false],
    ['no method segment is not a call', call({}), { target: '/p.S' }, false],
    ['what follows is ignored', call({ service: 'p.S', method: 'M' }), { target: '/p.S/M/x' }, true],
    ['header', call({ headers: [valueMatch('x-a', '1')] }), { target: '/p.S/M' }, false],
  ];
  it('covers the table', () => assert.equal(rows.length, 9));
  for (const [title, one, request, holds] of rows) {
    it(`${title}: ${holds ? 'matches' : 'no route'}`, () => {
      assert.equal(chosenCall([[one]], request), holds ? 0 : undefined);
    });
  }

  it('a rule without matches takes every request, also what is not a call', () => {
    assert.equal(chosenCall([[]], { method: 'GET', target: '/' }), 0);
  });

  it('the longer service wins, then the longer method, then more headers', () => {
    const headers = [{ name: 'x-a', value: '1' }];
    const order = [
      call({ headers: [valueMatch('x-a', '1')] }),
      call({ method: 'M' }),
      call({ service: 'p.S' }),
      call({ service: 'p.S', headers: [valueMatch('x-a', '1')] }),
      call({ service: 'p.S', method: 'M' }),
    ];
    for (const [index, winner] of order.entries()) {
      for (const loser of order.slice(0, index)) {
        assert.equal(chosenCall([[loser], [winner]], { target: '/p.S/M', headers }), 1);
      }
    }
  });
});
