import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asGatehouseError, GatehouseError } from './error.ts';

test('our own errors reach the outside as they are, anything else only as internal, with its cause for the log', () => {
  const ours = new GatehouseError('not-found', 'no pod demo/x');
  assert.equal(asGatehouseError(ours), ours);
  for (const thrown of [new TypeError('secret path /etc/x'), 'text', undefined, { code: 'not-found' }]) {
    const error = asGatehouseError(thrown);
    assert.deepEqual([error.code, error.message, error.cause], ['internal', 'internal error', thrown]);
  }
});
