import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { compileSituation } from '../../../testing/compile-situation.ts';
import {
  type AuditScope,
  auditClasses,
  auditsDecideNothing,
  countingClasses,
  refusalsAreCounted,
} from '../../../testing/properties/audits.ts';
import { rareIn, type Seen } from '../../../testing/properties/seen.ts';
import type { CompiledPort } from './model.ts';

const runs = { numRuns: 1_500, seed: 20_261_201, endOnFailure: false };

it('Audit policies, added or removed, change no decision of the policies and none of a proxy', () => {
  const seen: Seen = new Map();
  fc.assert(auditsDecideNothing({ seen }), runs);
  assert.deepEqual(rareIn(seen, auditClasses, 20), [], JSON.stringify(Object.fromEntries(seen)));
});

it('what enforcing Audit policies would refuse is what a proxy counts under the label for that', () => {
  const seen: Seen = new Map();
  fc.assert(refusalsAreCounted({ seen }), runs);
  assert.deepEqual(rareIn(seen, countingClasses, 5), [], JSON.stringify(Object.fromEntries(seen)));
});

type Authorizations = CompiledPort['server']['authorizations'];

/** The compiler as if it made other authorizations of what it has the proxy count. */
const counting =
  (
    mutate: (authorizations: Authorizations, grants: Authorizations) => Authorizations,
  ): typeof compileSituation =>
  (situation) => {
    const compiled = compileSituation(situation);
    const { audit, server } = compiled;
    if (audit === undefined || audit.counting.kind === 'none') return compiled;
    const authorizations = mutate(server.authorizations, audit.counting.grants);
    return { ...compiled, server: { ...server, authorizations } };
  };

const mutants: readonly (readonly [
  what: string,
  property: (scope: AuditScope) => unknown,
  scope: AuditScope,
])[] = [
  [
    'whom the policies admit is not narrowed to whom the base policy admits',
    auditsDecideNothing,
    {
      compile: counting((authorizations) =>
        authorizations.map((one, at) =>
          at < authorizations.length - 1 ? { ...one, authentication: { kind: 'unauthenticated' } } : one,
        ),
      ),
    },
  ],
  [
    'whom the policies do not admit is left out',
    auditsDecideNothing,
    { compile: counting((authorizations) => authorizations.slice(0, -1)) },
  ],
  [
    'what the base policy admits comes first',
    refusalsAreCounted,
    { compile: counting((authorizations) => authorizations.toReversed()) },
  ],
  [
    'the proxy is told nothing of the policies',
    refusalsAreCounted,
    { compile: counting((_, grants) => grants) },
  ],
  [
    'one of the policies is forgotten',
    refusalsAreCounted,
    { compile: counting((authorizations) => authorizations.slice(Math.min(1, authorizations.length - 1))) },
  ],
];

for (const [what, property, scope] of mutants) {
  it(`the properties notice a compiler by which ${what}`, () => {
    const { failed } = fc.check(property(scope) as fc.IProperty<unknown>, { ...runs, endOnFailure: true });
    assert.equal(failed, true);
  });
}
it('covers the table of mutants', () => assert.equal(mutants.length, 5));
