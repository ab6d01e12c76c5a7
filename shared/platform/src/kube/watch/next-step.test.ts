import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstPlan, nextStep, type Outcome, type Plan, usualTimings } from './next-step.ts';

const { firstBackoffMs, maxBackoffMs, absentMs, steadyMs } = usualTimings;
const after = (plan: Plan, outcome: Outcome, dice = 1): Plan =>
  nextStep(plan, outcome, { timings: usualTimings, dice });
const watching: Plan = { step: { kind: 'watch', after: '7', check: false }, waitMs: 0, failures: 0 };
const why = 'a test';

const table: readonly (readonly [string, Outcome, Plan])[] = [
  [
    'a list is followed by a watch at once',
    { kind: 'listed', version: '9' },
    { step: { kind: 'watch', after: '9', check: false }, waitMs: 0, failures: 0 },
  ],
  [
    'a kind that is not installed is looked for later',
    { kind: 'absent' },
    { step: { kind: 'list' }, waitMs: absentMs * 1.25, failures: 0 },
  ],
  [
    'an orderly end is followed by a watch at once, after a look at the version',
    { kind: 'ended', version: '9', livedMs: steadyMs },
    { step: { kind: 'watch', after: '9', check: true }, waitMs: 0, failures: 0 },
  ],
  [
    'a server that ends watches as soon as they begin is not asked in a hot loop',
    { kind: 'ended', version: '9', livedMs: 1 },
    { step: { kind: 'watch', after: '9', check: true }, waitMs: firstBackoffMs, failures: 1 },
  ],
  [
    'a cut is followed by a watch from the last whole line',
    { kind: 'cut', version: '9', livedMs: steadyMs, why },
    { step: { kind: 'watch', after: '9', check: true }, waitMs: firstBackoffMs, failures: 1 },
  ],
  [
    'silence is followed by a watch',
    { kind: 'silent', version: '9', livedMs: steadyMs, why },
    { step: { kind: 'watch', after: '9', check: true }, waitMs: firstBackoffMs, failures: 1 },
  ],
  ...(['away', 'expired', 'rewound', 'error', 'unreadable'] as const).map(
    (kind) =>
      [
        `${kind} is followed by a list`,
        { kind, why } as const,
        { step: { kind: 'list' }, waitMs: firstBackoffMs, failures: 1 },
      ] as const,
  ),
  [
    'a refused watch is tried again, after a look at the version',
    { kind: 'failed', why },
    { step: { kind: 'watch', after: '7', check: true }, waitMs: firstBackoffMs, failures: 1 },
  ],
  [
    'a server that asks for patience gets it, and something on top',
    { kind: 'failed', why, retryAfterMs: 5_000 },
    { step: { kind: 'watch', after: '7', check: true }, waitMs: 5_000 + firstBackoffMs, failures: 1 },
  ],
];

test('there are 13 endings of a step', () => assert.equal(table.length, 13));
for (const [title, outcome, plan] of table) {
  test(title, () => assert.deepEqual(after(watching, outcome), plan));
}

test('the first step is a list, at once', () =>
  assert.deepEqual(firstPlan, { step: { kind: 'list' }, waitMs: 0, failures: 0 }));

test('waits double up to a bound while failures follow each other; lists in between prove nothing', () => {
  let plan = watching;
  const waits: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    plan = after(plan, { kind: 'expired', why });
    waits.push(plan.waitMs);
    plan = after(plan, { kind: 'listed', version: '9' });
  }
  assert.deepEqual(waits.slice(0, 4), [250, 500, 1_000, 2_000]);
  assert.equal(waits.at(-1), maxBackoffMs);
  assert.equal(after(plan, { kind: 'ended', version: '9', livedMs: steadyMs }).failures, 0);
});

test('the dice spread every wait over its upper half, and a server may not ask forever', () =>
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(40),
      fc.nat(10_000_000),
      (dice, failures, retryAfterMs) => {
        const { waitMs } = after({ ...watching, failures }, { kind: 'failed', why, retryAfterMs }, dice);
        const longest = Math.min(maxBackoffMs, firstBackoffMs * 2 ** failures);
        const asked = Math.min(retryAfterMs, 120_000);
        assert.ok(waitMs >= asked + longest / 2 && waitMs <= asked + longest);
      },
    ),
  ));
