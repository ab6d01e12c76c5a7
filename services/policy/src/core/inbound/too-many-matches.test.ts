import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { exact, prefix } from '@gatehouse/testing/inbound-attempt';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { printRoutes, ruledBy, ruledPolicy } from '../../../testing/ruled-situation.ts';

describe('a port has at most 256 matches', () => {
  const many = (count: number): PolicyRule => ({
    paths: Array.from({ length: count }, (_, index) => exact(`/path-${index}`)),
  });
  const leftOut = (situation: Situation): readonly string[] =>
    compileSituation(situation).findings.flatMap(({ reason, about }) =>
      reason === 'TooManyMatches' && 'name' in about ? [about.name] : [],
    );

  it('the newest policies grant nothing there, and are told so', () => {
    const situation = ruledBy(
      ruledPolicy('new', [{ paths: [prefix('/new')] }], { createdAt: 3 }),
      ruledPolicy('newer', [{ paths: [prefix('/newer')] }], { createdAt: 4 }),
      ruledPolicy('old', [many(253)], { createdAt: 1 }),
    );
    assert.deepEqual(leftOut(situation), ['newer']);
    assert.equal(printRoutes(situation).length, 256);
    // The oracle knows no limit, so these are asked of the row alone.
    const { contributions } = compileSituation(situation);
    assert.deepEqual(
      contributions.map(({ object, effect }) => `${object.name} ${effect.kind}`),
      ['old closes', 'old grants-requests', 'new closes', 'new grants-requests', 'newer closes'],
    );
  });

  it('independent header conditions multiply', () => {
    const conditions = Array.from({ length: 9 }, (_, index) =>
      ruledPolicy(`p${index}`, [{ headers: [{ name: `x-${index}`, value: '1' }] }], { createdAt: index }),
    );
    assert.deepEqual(leftOut(ruledBy(...conditions)), ['p8']);
    assert.equal(printRoutes(ruledBy(...conditions)).length, 256);
  });

  it('but not those of one policy, which grant the same', () => {
    const rules = Array.from({ length: 9 }, (_, index) => ({
      headers: [{ name: `x-${index}`, value: '1' }],
    }));
    assert.deepEqual(leftOut(ruledBy(ruledPolicy('p', rules))), []);
    assert.equal(printRoutes(ruledBy(ruledPolicy('p', rules))).length, 10);
  });

  it('alternatives that a coarser one covers do not count', () => {
    const situation = ruledBy(ruledPolicy('p', [many(300), { paths: [prefix('/')] }]));
    assert.deepEqual(leftOut(situation), []);
    assert.equal(printRoutes(situation).length, 3);
  });

  it('thousands of alternatives are too many, at once', () => {
    const methods = Array.from({ length: 1_000 }, (_, index) => `M${index}`);
    const situation = ruledBy(ruledPolicy('p', [{ ...many(1_000), methods }]));
    assert.deepEqual(leftOut(situation), ['p']);
    assert.deepEqual(printRoutes(situation), ['unnormalized-path: regex (0)', 'default: prefix / (0)']);
  });

  it('the same on another port has room of its own', () => {
    const crowded = ruledPolicy('crowded', [many(253)], {
      createdAt: 1,
      ports: [{ kind: 'range', first: 8080, last: 8080 }],
    });
    const both = [
      ruledPolicy('a', [{ methods: ['GET'] }], { createdAt: 2 }),
      ruledPolicy('b', [{ methods: ['PUT'] }], { createdAt: 3 }),
    ];
    assert.deepEqual(leftOut(ruledBy(crowded, ...both)), ['a', 'b']);
    assert.deepEqual(leftOut({ ...ruledBy(crowded, ...both), port: 9000 }), []);
  });

  it('policies that write the same matches do not multiply them', () => {
    const rules = Array.from({ length: 7 }, (_, at) => ({ headers: [{ name: `x-${at}`, value: '1' }] }));
    const many = Array.from({ length: 500 }, (_, at) =>
      ruledPolicy(`p${at}`, [...rules, { paths: [exact(`/${at % 2}`)] }]),
    );
    // Seven headers, two paths, each header on each path; the guard and the rest.
    assert.equal(printRoutes(ruledBy(...many)).length, 7 + 2 + 14 + 2);
    assert.deepEqual(compileSituation(ruledBy(...many)).findings, []);
  });
});
