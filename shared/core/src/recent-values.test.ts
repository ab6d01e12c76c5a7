import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecentValues } from './recent-values.ts';

it('what was used last is not worked out again; what was not for longest is', () => {
  const made: string[] = [];
  const values = new RecentValues<string, string>(2);
  const ask = (key: string): string =>
    values.get(key, (asked) => {
      made.push(asked);
      return asked.toUpperCase();
    });
  assert.deepEqual([...'abaca'].map(ask), [...'ABACA']);
  assert.deepEqual(made, ['a', 'b', 'c']);
  assert.equal(ask('b'), 'B');
  assert.deepEqual(made, ['a', 'b', 'c', 'b']);
  assert.equal(values.size, 2);
});

it('what could not be worked out is tried again', () => {
  const values = new RecentValues<string, string>(2);
  const failing = (): never => {
    throw new RangeError('no');
  };
  assert.throws(() => values.get('a', failing), RangeError);
  assert.equal(
    values.get('a', () => 'now'),
    'now',
  );
});
