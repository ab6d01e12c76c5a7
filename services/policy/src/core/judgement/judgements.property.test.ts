import assert from 'node:assert/strict';
import test from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import fc from 'fast-check';
import { JudgedMesh, judgedAnew } from '../../../testing/judged-mesh.ts';
import { anyNaming } from '../../../testing/random-accounts.ts';
import { anyChange } from '../../../testing/random-changes.ts';
import { anyEvent, happeningOf } from '../../../testing/random-events.ts';
import type { PolicyState } from './judgement.ts';

const seed = 20_261_201;

/** Judgements of a history, each asked for now or later, must be those of a look at everything. */
const holds = (mesh: JudgedMesh, states: Map<string, number>): void => {
  const known = mesh.all();
  assert.deepEqual(known, judgedAnew(mesh));
  for (const judgement of known.values()) {
    const state = judgement?.state ?? 'none';
    states.set(state, (states.get(state) ?? 0) + 1);
  }
};

/** Plays random histories of `steps`, each as the batches that it is, and judges after every one. */
const play = <Step>(
  steps: fc.Arbitrary<Step[]>,
  batchesOf: (step: Step, mesh: JudgedMesh) => readonly (readonly Change[])[],
  expected: readonly PolicyState[],
): void => {
  const states = new Map<string, number>();
  fc.assert(
    fc.property(steps, (history) => {
      const mesh = new JudgedMesh();
      for (const step of history) {
        for (const batch of batchesOf(step, mesh)) mesh.apply(...batch);
        holds(mesh, states);
      }
    }),
    { numRuns: 150, seed },
  );
  for (const state of expected)
    assert((states.get(state) ?? 0) > 20, `${state} was rarely seen: ${JSON.stringify([...states])}`);
};

test('after every event each object is judged as a look at everything judges it', () =>
  play(
    fc.array(anyEvent, { minLength: 6, maxLength: 16, size: 'max' }),
    (event, mesh) => happeningOf(mesh.index, event).batches,
    ['Enforced', 'PartlyEnforced', 'MatchesNothing', 'Open'],
  ));

test('after every change of any object each is judged as a look at everything judges it', () =>
  play(fc.array(anyChange, { minLength: 6, maxLength: 24, size: 'max' }), (change) => [[change]], [
    'Enforced',
    'MatchesNothing',
    'Open',
    'Rejected',
  ]));

test('policies that name ServiceAccounts follow them as they come and go', () => {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  const missing = (judged: JudgedMesh): ReadonlySet<string> =>
    new Set(
      [...judged.all()].flatMap(([key, judgement]) =>
        judgement?.findings.some(({ reason }) => reason === 'NoSuchServiceAccount') ? [key] : [],
      ),
    );
  fc.assert(
    fc.property(fc.array(anyNaming, { minLength: 6, maxLength: 24, size: 'max' }), (history) => {
      const judged = new JudgedMesh();
      let before = missing(judged);
      for (const change of history) {
        judged.apply(change);
        assert.deepEqual(judged.all(), judgedAnew(judged));
        const after = missing(judged);
        // Of what names an account, and is there before and after the change.
        const by = change.type === 'unreadable' ? '' : change.kind;
        for (const key of by === 'ServiceAccount' || by === 'Pod' ? before.symmetricDifference(after) : [])
          count(`${key.split('/')[0]} ${after.has(key) ? 'loses' : 'finds'} its account, by a ${by}`);
        before = after;
      }
    }),
    { numRuns: 2_500, seed },
  );
  for (const kind of [
    'NetworkAuthenticationPolicy',
    'AuthorizationPolicy',
    'MeshTLSAuthentication',
    'ServerAuthorization',
  ])
    for (const by of ['ServiceAccount', 'Pod'])
      for (const turn of ['loses', 'finds'])
        assert(
          (seen.get(`${kind} ${turn} its account, by a ${by}`) ?? 0) > 3,
          `${kind} ${turn} by ${by} was rarely seen: ${JSON.stringify([...seen])}`,
        );
});
