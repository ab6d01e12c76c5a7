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
  assert.equal(policyProperties.length, 7);
});

test('one that does not hold is told with its smallest case, and the others are still tried', () => {
  const open = verdictsAgree({
    compile: (situation) => compileSituation({ ...situation, networkAuthenticationPolicies: [] }),
  });
  const mutated = soaked('policies do not matter', () => open);
  const { failed, lines } = soak({ properties: [mutated, ...policyProperties.slice(0, 1)], runs: 500 });
  assert.deepEqual(failed, ['policies do not matter']);
  assert.match(lines[0] ?? '', /^DOES NOT HOLD: policies do not matter \(after \d+ cases/);
  assert.match(lines[1] ?? '', /AssertionError.*Counterexample/s);
  assert.equal(lines[2], 'held: a proxy gives the verdict that the policies give (500 cases, 0 s)');
});

test('what is not tried when the time is up is told, and what one property leaves is for the others', () => {
  let time = 0;
  const taking = (name: string, ms: number) => ({
    name,
    check: ({ numRuns }: { readonly numRuns: number }) => {
      time += ms;
      return { tried: numRuns, report: undefined };
    },
  });
  const properties = [taking('fast', 1_000), taking('slow', 4_000), taking('endless', 1_000)];
  const { lines } = soak({ properties, runs: 750, withinMs: 18_000, now: () => time });
  assert.deepEqual(lines, [
    'held: fast (750 cases, 3 s)',
    'held: slow (500 cases, not 750: the time was up, 8 s)',
    'held: endless (750 cases, 3 s)',
  ]);
});
