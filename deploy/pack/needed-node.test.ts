import assert from 'node:assert/strict';
import { versions } from 'node:process';
import { test } from 'node:test';
import { whyTooOld } from './needed-node.ts';

test('an older Node is said to be too old, and what to do', () => {
  assert.equal(whyTooOld(versions.node), undefined);
  assert.equal(whyTooOld('100.0.0'), undefined);
  for (const version of ['20.20.2', '25.9.1'])
    assert.match(
      whyTooOld(version) ?? '',
      new RegExp(`^gatehouse needs Node 26 or newer, and this is ${version}: `),
    );
});
