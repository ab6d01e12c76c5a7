import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skewOf } from './release.ts';

test('releases of one minor version fit, whatever the patch', () => {
  const cases: readonly (readonly [own: string, other: string, skew: string])[] = [
    ['0.1.0', '0.1.9', 'none'],
    ['0.2.0', '0.1.9', 'older'],
    ['0.2.0', '0.10.0', 'newer'],
    ['1.0.0', '0.9.0', 'older'],
    ['1.0.0-rc.1', '1.0.0', 'none'],
    ['1.0.0', 'edge', 'unknown'],
  ];
  assert.equal(cases.length, 6);
  for (const [own, other, skew] of cases) assert.equal(skewOf(own, other), skew, `${own} ${other}`);
});
