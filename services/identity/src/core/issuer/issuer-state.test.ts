import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problem } from '@gatehouse/core/problem';
import { offerIssuer } from './issuer-state.ts';

describe('the issuer in use', () => {
  const none = { current: undefined, rejected: undefined };
  const refusal = problem('issuer', 'it is not a CA', 'make it one');

  it('is replaced by one that was accepted, and an earlier refusal is over', () => {
    const refused = offerIssuer(none, refusal, 1);
    assert.deepEqual(offerIssuer(refused, { ok: true, value: 'new' }, 2), {
      current: 'new',
      rejected: undefined,
    });
  });

  it('stays when another is refused, and the reason is remembered', () => {
    const old = offerIssuer<string>(none, { ok: true, value: 'old' }, 1);
    assert.deepEqual(offerIssuer(old, refusal, 2), {
      current: 'old',
      rejected: { at: 2, problems: [{ field: 'issuer', found: 'it is not a CA', fix: 'make it one' }] },
    });
  });
});
