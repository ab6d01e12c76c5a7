import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUnnormalizedPath, unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { checkProxyRegex, matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { aNetworkAuthenticationPolicy } from '@gatehouse/testing/builders';
import { prefix } from '@gatehouse/testing/inbound-attempt';
import { pathPieces } from '@gatehouse/testing/path-readers';
import fc from 'fast-check';
import { isUnnormalized } from '../../../testing/decide/requests.ts';
import { ruledBy, ruledPolicy } from '../../../testing/ruled-situation.ts';
import { asPod, frontend, verdictOf } from '../../../testing/situation.ts';

describe('paths that others may read differently', () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['/api/../admin', true],
    ['/api/..', true],
    ['/api/.', true],
    ['/./api', true],
    ['/api//x', true],
    ['//api', true],
    ['/api\\x', true],
    ['/api;v=1', true],
    ['/api%2fx', true],
    ['/api%2Fx', true],
    ['/api/%2e%2e/admin', true],
    ['/api/%2E', true],
    ['/api%5cx', true],
    ['/api%3Bx', true],
    ['/api%00', true],
    ['/api/%u002e%u002e/admin', true],
    ['/api/%c0%ae%c0%ae/admin', true],
    ['/api/.%09./admin', true],
    ['/api/.%%32%65/admin', true],
    ['/api/%ef%bc%8e%ef%bc%8e/admin', true],
    ['/api/..%ef%bc%8fadmin', true],
    ['/api', false],
    ['/api/', false],
    ['/api/...', false],
    ['/api/.hidden', false],
    ['/api/a..b', false],
    ['/api/x%20y', false],
    ['/api/%252e', true],
    ['/', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 29));
  const situation = ruledBy(ruledPolicy('p', [{ paths: [prefix('/')] }]));
  for (const [path, guarded] of rows) {
    it(`${path} is ${guarded ? 'refused' : 'allowed'} by rules that name paths`, () => {
      assert.equal(matchesWhole(unnormalizedPath, path), guarded);
      assert.equal(
        verdictOf(situation, asPod(frontend), `GET ${path}`),
        guarded ? 'unauthorized' : 'allowed',
      );
    });
  }

  it('the guard finds what the oracle finds, in random paths', () => {
    const path = fc
      .array(fc.constantFrom(...pathPieces), { maxLength: 8 })
      .map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(path, (raw) => {
        const expected = isUnnormalized(raw);
        assert.deepEqual(
          [matchesWhole(unnormalizedPath, raw), isUnnormalizedPath(raw)],
          [expected, expected],
        );
      }),
      { numRuns: 3_000 },
    );
  });

  it('the guard is one that the proxy understands', () => assert(checkProxyRegex(unnormalizedPath).ok));

  it('a query is not a valid path', () => {
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api?next=//x/../y;z'), 'allowed');
  });

  it('who is granted everything may send them', () => {
    const open = ruledBy(
      ruledPolicy('p', [{ paths: [prefix('/')] }]),
      aNetworkAuthenticationPolicy({ name: 'open' }),
    );
    assert.equal(verdictOf(open, asPod(frontend), 'GET //x'), 'allowed');
  });

  it('allowUnnormalizedPaths counts only if every policy with rules sets it', () => {
    const allows = (name: string, allowUnnormalizedPaths: boolean) =>
      ruledPolicy(name, [{ paths: [prefix('/')] }], { allowUnnormalizedPaths });
    assert.equal(
      verdictOf(ruledBy(allows('a', true), allows('b', true)), asPod(frontend), 'GET //x'),
      'allowed',
    );
    assert.equal(
      verdictOf(ruledBy(allows('a', true), allows('b', false)), asPod(frontend), 'GET //x'),
      'unauthorized',
    );
  });
});
