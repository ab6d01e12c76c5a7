import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JudgedMesh, judgedAnew } from '../../../testing/judged-mesh.ts';
import { anyChange } from '../../../testing/random-changes.ts';
import { anyEvent, happeningOf } from '../../../testing/random-events.ts';

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

test('after every event each object is judged as a look at everything judges it', () => {
  const states = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 6, maxLength: 16, size: 'max' }), (events) => {
      const mesh = new JudgedMesh();
      for (const event of events) {
        for (const batch of happeningOf(mesh.index, event).batches) mesh.apply(...batch);
        holds(mesh, states);
      }
    }),
    { numRuns: 150, seed },
  );
  for (const state of ['Enforced', 'PartlyEnforced', 'MatchesNothing', 'Open'])
    assert((states.get(state) ?? 0) > 20, `${state} was rarely seen: ${JSON.stringify([...states])}`);
});

test('after every change of any object each is judged as a look at everything judges it', () => {
  const states = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(anyChange, { minLength: 6, maxLength: 24, size: 'max' }), (changes) => {
      const mesh = new JudgedMesh();
      for (const change of changes) {
        mesh.apply(change);
        holds(mesh, states);
      }
    }),
    { numRuns: 150, seed },
  );
  for (const state of ['Enforced', 'MatchesNothing', 'Open', 'Rejected'])
    assert((states.get(state) ?? 0) > 20, `${state} was rarely seen: ${JSON.stringify([...states])}`);
});
