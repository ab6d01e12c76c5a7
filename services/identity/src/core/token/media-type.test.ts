import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMediaType } from './media-type.ts';

test('the media type that a client likes best is chosen, and the first when it does not say', () => {
  const offers = [
    'application/pem-certificate-chain',
    'application/json',
    'application/jwk-set+json',
  ] as const;
  const [pem, json, jwks] = offers;
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, pem],
    ['*/*', pem],
    ['application/*', pem],
    ['application/json', json],
    ['Application/JSON', json],
    ['application/jwk-set+json', jwks],
    ['application/json, application/jwk-set+json;q=0.5', json],
    ['application/json;q=0.4, application/jwk-set+json;q=0.5', jwks],
    ['application/json, */*;q=0.1', json],
    ['application/pem-certificate-chain;q=0, */*', json],
    ['text/html, application/*;q=0.5, application/json;q=0.9', json],
    ['text/html', pem],
    ['application/json;q=nonsense', pem],
    ['', pem],
  ];
  assert.equal(cases.length, 14);
  for (const [accept, expected] of cases)
    assert.equal(chooseMediaType(accept, offers), expected, `${accept}`);
});
