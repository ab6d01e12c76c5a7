import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSituation } from '../compile-situation.ts';
import { verdictsAgree } from '../properties/verdicts.ts';
import { policyProperties, soaked } from './properties.ts';
import { type SoakOptions, soakPolicies } from './soak.ts';

const soak = (said: Partial<SoakOptions>) => {
  const lines: string[] = [];
  const failed = soakPolicies({
    properties: policyProperties,
    runs: 20,
    seed: 7,
    withinMs: Number.POSITIVE_INFINITY,
    now: () => 0,
    tell: (line) => lines.push(line),
    ...said,
  });
  return { failed, lines };
};

test('every property of policy is soaked, and told', () => {
  const { failed, lines } = soak({});
  assert.deepEqual(failed, []);
  assert.deepEqual(
    lines,
    policyProperties.map(({ name }) => `held: ${name} (20 cases, 0 s)`),
  );
  assert.equal(policyProperties.length, 5);
});

test('one that does not hold is told with its smallest case, and the others are still tried', () => {
  const open = verdictsAgree({
    compile: (situation) => compileSituation({ ...situation, networkAuthenticationPolicies: [] }),
  });
  const mutated = soaked('policies do not matter', () => open);
  const { failed, lines } = soak({ properties: [mutated, ...policyProperties.slice(0, 1)], runs: 500 });
  assert.deepEqual(failed, ['policies do not matter']);
  assert.match(lines[0] ?? '', /^DOES NOT HOLD: policies do not matter \(after \d+ cases/);
  assert.match(lines[1] ?? '', /Counterexample/);
  assert.equal(lines[2], 'held: a proxy gives the verdict that the policies give (500 cases, 0 s)');
});

test('what is not tried when the time is up is told', () => {
  let time = 0;
  const now = () => (time += 1_000);
  const { lines } = soak({ properties: policyProperties.slice(0, 1), runs: 10_000, withinMs: 1_500, now });
  assert.deepEqual(lines, [
    'held: a proxy gives the verdict that the policies give (250 cases, not 10000: the time was up, 3 s)',
  ]);
});
