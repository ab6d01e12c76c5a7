import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeftover } from './run-name.ts';

test('only names of runs whose process is gone are leftovers', () => {
  const running = (pid: number): string | undefined => (pid === 7 ? '100' : undefined);
  const cases: readonly (readonly [string, boolean])[] = [
    ['ghe2e-7-100-net', false],
    ['ghe2e-7-99-net', true],
    ['ghe2e-8-100-backend-0', true],
    ['cni-1234', false],
    ['ghe2e-net', false],
    ['x-ghe2e-8-100-net', false],
  ];
  for (const [name, leftover] of cases) assert.equal(isLeftover(name, running), leftover, name);
  assert.equal(cases.length, 6);
});
