import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { streamsAgree } from './streams-agree.ts';

test('at every quiet point what a stream was sent is what a server that has just started would say', async () => {
  let steps = 0;
  await fc.assert(
    streamsAgree({
      onStep: () => {
        steps += 1;
      },
    }),
    { numRuns: 60, seed: 14 },
  );
  assert.ok(steps > 400, `${steps} steps`);
});

/** A change that the server under test is not told of, by the kind of object. */
const kinds = [
  'Pod',
  'Service',
  'EndpointSlice',
  'Server',
  'Node',
  'ExternalWorkload',
  'ServiceProfile',
] as const;

test('a server that misses one kind of change is found out, whichever it is', async () => {
  for (const kind of kinds) {
    const property = streamsAgree({
      meddle: (_source, step) => {
        if (step.kind === 'relist') return step.of === kind ? undefined : step;
        if (step.kind !== 'put' && step.kind !== 'remove') return step;
        return { ...step, objects: step.objects.filter((object) => object.kind !== kind) };
      },
    });
    const { failed } = await fc.check(property, { numRuns: 400, seed: 3, endOnFailure: true });
    assert.equal(failed, true, `changes of ${kind} that do not arrive are not noticed`);
  }
});
