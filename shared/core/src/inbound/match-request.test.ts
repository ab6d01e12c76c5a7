import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  anAttempt,
  anybody,
  aRequest,
  aServerRow,
  defaultMeta,
  exact,
  httpMatch,
  matchesRegex,
  prefix,
  regex,
  valueMatch,
} from '@gatehouse/testing/inbound-attempt';
import { evaluate } from './evaluate-inbound.ts';
import type { HostMatch, HttpMatch, HttpRoute } from './inbound-server.ts';
import type { HttpRequest } from './match-request.ts';

interface Candidate {
  readonly hosts?: readonly HostMatch[];
  readonly matches: readonly HttpMatch[];
}

/** The place in the list of the route that the proxy uses; undefined = none. */
const chosen = (candidates: readonly Candidate[], request: HttpRequest): number | undefined => {
  const routes = candidates.map(
    ({ hosts = [], matches }, index): HttpRoute => ({
      meta: defaultMeta(`${index}`),
      hosts,
      authorizations: [],
      rules: [{ matches, filters: [] }],
    }),
  );
  const server = aServerRow({ protocol: { kind: 'http1', routes }, authorizations: [anybody('it')] });
  const verdict = evaluate(server, anAttempt({ traffic: { kind: 'http', ...request } }), matchesRegex);
  return verdict.kind === 'allowed' && verdict.route?.kind === 'default'
    ? Number(verdict.route.name)
    : undefined;
};

describe('a match holds for the requests that contract/proxy.md §6.3 says', () => {
  const rows: readonly (readonly [string, HttpMatch, Partial<HttpRequest>, boolean])[] = [
    ['exact path', httpMatch({ path: exact('/api') }), { target: '/api' }, true],
    ['exact path with query', httpMatch({ path: exact('/api') }), { target: '/api?x=1' }, true],
    ['exact path with fragment', httpMatch({ path: exact('/api') }), { target: '/api#x' }, true],
    ['exact path is exact', httpMatch({ path: exact('/api') }), { target: '/api/' }, false],
    ['exact path with slash', httpMatch({ path: exact('/api/') }), { target: '/api/' }, true],
    ['paths are case-sensitive', httpMatch({ path: exact('/api') }), { target: '/API' }, false],
    ['prefix itself', httpMatch({ path: prefix('/api') }), { target: '/api' }, true],
    ['prefix and slash', httpMatch({ path: prefix('/api') }), { target: '/api/' }, true],
    ['prefix and segment', httpMatch({ path: prefix('/api') }), { target: '/api/x' }, true],
    ['prefix is whole segments', httpMatch({ path: prefix('/api') }), { target: '/apix' }, false],
    ['prefix with slash, itself without', httpMatch({ path: prefix('/api/') }), { target: '/api' }, true],
    ['prefix with slash, segment', httpMatch({ path: prefix('/api/') }), { target: '/api/x' }, true],
    ['prefix / covers all', httpMatch({ path: prefix('/') }), { target: '/x' }, true],
    ['prefix / covers *', httpMatch({ path: prefix('/') }), { method: 'OPTIONS', target: '*' }, true],
    ['paths are not normalised', httpMatch({ path: prefix('/api') }), { target: '/api/../admin' }, true],
    ['paths are not decoded', httpMatch({ path: exact('/a b') }), { target: '/a%20b' }, false],
    ['regex spans the path', httpMatch({ path: regex('/api/[0-9]+') }), { target: '/api/12?x' }, true],
    ['regex is anchored', httpMatch({ path: regex('/api') }), { target: '/api/x' }, false],
    ['method equal', httpMatch({ method: 'GET' }), { method: 'GET' }, true],
    ['method another', httpMatch({ method: 'GET' }), { method: 'HEAD' }, false],
    ['methods are case-sensitive', httpMatch({ method: 'GET' }), { method: 'get' }, false],
    [
      'header',
      httpMatch({ headers: [valueMatch('X-A', '1')] }),
      { headers: [{ name: 'x-a', value: '1' }] },
      true,
    ],
    ['header absent', httpMatch({ headers: [valueMatch('x-a', '1')] }), {}, false],
    [
      'header another value',
      httpMatch({ headers: [valueMatch('x-a', '1')] }),
      { headers: [{ name: 'x-a', value: '2' }] },
      false,
    ],
    [
      'any value of a header',
      httpMatch({ headers: [valueMatch('x-a', '1')] }),
      {
        headers: [
          { name: 'x-a', value: '2' },
          { name: 'x-a', value: '1' },
        ],
      },
      true,
    ],
    [
      'header values are not split at commas',
      httpMatch({ headers: [valueMatch('x-a', '1')] }),
      { headers: [{ name: 'x-a', value: '2,1' }] },
      false,
    ],
    [
      'two values of one header',
      httpMatch({ headers: [valueMatch('x-a', '1'), valueMatch('x-a', '2')] }),
      {
        headers: [
          { name: 'x-a', value: '2' },
          { name: 'x-a', value: '1' },
        ],
      },
      true,
    ],
    [
      'headers are ANDed',
      httpMatch({ headers: [valueMatch('x-a', '1'), valueMatch('x-b', '1')] }),
      { headers: [{ name: 'x-a', value: '1' }] },
      false,
    ],
    [
      'header regex',
      httpMatch({ headers: [valueMatch('x-a', 'b.*', 'regex')] }),
      { headers: [{ name: 'x-a', value: 'blue' }] },
      true,
    ],
    [
      'header regex is anchored',
      httpMatch({ headers: [valueMatch('x-a', 'b', 'regex')] }),
      { headers: [{ name: 'x-a', value: 'ab' }] },
      false,
    ],
    [
      'header regex sees visible ASCII only',
      httpMatch({ headers: [valueMatch('x-a', '.*', 'regex')] }),
      { headers: [{ name: 'x-a', value: 'é' }] },
      false,
    ],
    ['query', httpMatch({ queryParams: [valueMatch('c', 'blue')] }), { target: '/?c=blue' }, true],
    [
      'query decoded',
      httpMatch({ queryParams: [valueMatch('c d', 'b u')] }),
      { target: '/?c%20d=b+u' },
      true,
    ],
    [
      'any occurrence in the query',
      httpMatch({ queryParams: [valueMatch('c', 'blue')] }),
      { target: '/?c=red&c=blue' },
      true,
    ],
    [
      'query names are case-sensitive',
      httpMatch({ queryParams: [valueMatch('C', 'blue')] }),
      { target: '/?c=blue' },
      false,
    ],
    [
      'query regex',
      httpMatch({ queryParams: [valueMatch('c', 'b.*', 'regex')] }),
      { target: '/?c=blue' },
      true,
    ],
    ['query absent', httpMatch({ queryParams: [valueMatch('c', '')] }), { target: '/' }, false],
    [
      'query in a fragment',
      httpMatch({ queryParams: [valueMatch('c', 'blue')] }),
      { target: '/#?c=blue' },
      false,
    ],
    [
      'all parts must hold',
      httpMatch({ path: exact('/a'), method: 'GET' }),
      { target: '/a', method: 'POST' },
      false,
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 39));
  for (const [title, one, request, holds] of rows) {
    it(`${title}: ${holds ? 'matches' : 'no route'}`, () => {
      assert.equal(chosen([{ matches: [one] }], aRequest(request)), holds ? 0 : undefined);
    });
  }

  it('matches of a rule are alternatives, and none of them means every request', () => {
    const two = { matches: [httpMatch({ path: exact('/a') }), httpMatch({ path: exact('/b') })] };
    assert.equal(chosen([two], aRequest({ target: '/b' })), 0);
    assert.equal(chosen([two], aRequest({ target: '/c' })), undefined);
    assert.equal(chosen([{ matches: [] }], aRequest({ target: '/c' })), 0);
  });
});

describe('a host pattern matches', () => {
  const rows: readonly (readonly [string, HostMatch, string | undefined, boolean])[] = [
    ['the same name', { kind: 'exact', host: 'example.com' }, 'example.com', true],
    ['whatever the port', { kind: 'exact', host: 'example.com' }, 'example.com:8080', true],
    ['whatever the case', { kind: 'exact', host: 'Example.com' }, 'EXAMPLE.com', true],
    ['a trailing dot', { kind: 'exact', host: 'example.com' }, 'example.com.', true],
    ['a trailing dot only if asked', { kind: 'exact', host: 'example.com.' }, 'example.com', false],
    ['not another name', { kind: 'exact', host: 'example.com' }, 'a.example.com', false],
    ['not without authority', { kind: 'exact', host: 'example.com' }, undefined, false],
    ['one label more', { kind: 'suffix', suffix: 'example.com' }, 'a.example.com', true],
    ['two labels more', { kind: 'suffix', suffix: 'example.com' }, 'b.a.example.com:80', true],
    ['not the bare suffix', { kind: 'suffix', suffix: 'example.com' }, 'example.com', false],
    ['not half a label', { kind: 'suffix', suffix: 'example.com' }, 'anexample.com', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 11));
  for (const [title, host, authority, holds] of rows) {
    it(title, () => {
      const candidates = [{ hosts: [host], matches: [] }];
      assert.equal(chosen(candidates, aRequest({ host: authority })), holds ? 0 : undefined);
    });
  }
});

describe('of several routes the proxy uses the most specific', () => {
  const request = aRequest({
    target: '/api/v1?c=blue&d=1',
    host: 'a.example.com',
    headers: [
      { name: 'x-a', value: '1' },
      { name: 'x-b', value: '1' },
    ],
  });
  const any: Candidate = { matches: [] };
  const only = (said: Partial<HttpMatch>, hosts: readonly HostMatch[] = []): Candidate => ({
    hosts,
    matches: [httpMatch(said)],
  });
  const a = valueMatch('x-a', '1');
  const b = valueMatch('x-b', '1');
  const c = valueMatch('c', 'blue');
  const d = valueMatch('d', '1');
  /** The second is always the one that wins, so that no row holds by the order of the list. */
  const rows: readonly (readonly [string, Candidate, Candidate])[] = [
    [
      'a host beats none, whatever else',
      only({ path: exact('/api/v1'), headers: [a, b] }),
      only({}, [{ kind: 'suffix', suffix: 'com' }]),
    ],
    [
      'an exact host beats a suffix',
      only({}, [{ kind: 'suffix', suffix: 'example.com' }]),
      only({}, [{ kind: 'exact', host: 'a.example.com' }]),
    ],
    [
      'a longer suffix beats a shorter',
      only({}, [{ kind: 'suffix', suffix: 'com' }]),
      only({}, [{ kind: 'suffix', suffix: 'example.com' }]),
    ],
    [
      'of several hosts the best counts',
      only({}, [{ kind: 'suffix', suffix: 'example.com' }]),
      only({}, [
        { kind: 'suffix', suffix: 'com' },
        { kind: 'exact', host: 'a.example.com' },
      ]),
    ],
    [
      'a longer path beats headers',
      only({ path: prefix('/api'), headers: [a, b] }),
      only({ path: prefix('/api/v1') }),
    ],
    ['any path beats none', any, only({ path: prefix('/api') })],
    ['an exact path counts its length', only({ path: prefix('/api') }), only({ path: exact('/api/v1') })],
    [
      'a regex counts the whole path',
      only({ path: prefix('/api'), headers: [a] }),
      only({ path: regex('/.*') }),
    ],
    [
      'more headers beat queries',
      only({ path: exact('/api/v1'), queryParams: [c, d] }),
      only({ path: exact('/api/v1'), headers: [a] }),
    ],
    ['two headers beat one', only({ headers: [a] }), only({ headers: [a, b] })],
    ['more queries beat a method', only({ queryParams: [], method: 'GET' }), only({ queryParams: [c] })],
    ['a method beats none', any, only({ method: 'GET' })],
    [
      'the best of its matches counts for a rule',
      only({ path: prefix('/api') }),
      { matches: [httpMatch({}), httpMatch({ path: exact('/api/v1') })] },
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 13));
  for (const [title, loser, winner] of rows) {
    it(title, () => {
      assert.equal(chosen([loser, winner], request), 1);
      assert.equal(chosen([winner, loser], request), 0);
    });
  }

  const ties: readonly (readonly [string, Candidate, Candidate])[] = [
    ['exact and prefix of one length', only({ path: exact('/api/v1') }), only({ path: prefix('/api/v1') })],
    ['exact and regex', only({ path: exact('/api/v1') }), only({ path: regex('/.*') })],
    ['prefix with and without slash', only({ path: prefix('/api/') }), only({ path: prefix('/api') })],
    ['no path and the prefix /', any, only({ path: prefix('/') })],
    ['different headers, equally many', only({ headers: [a] }), only({ headers: [b] })],
  ];
  it('covers the ties', () => assert.equal(ties.length, 5));
  for (const [title, one, other] of ties) {
    it(`the first in the list wins a tie: ${title}`, () => {
      assert.equal(chosen([one, other], request), 0);
      assert.equal(chosen([other, one], request), 0);
    });
  }
});
