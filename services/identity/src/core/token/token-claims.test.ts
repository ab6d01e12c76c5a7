import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { somePayload, tokenAudience, tokenIssuer } from '../../../testing/token-builder.ts';
import { checkClaims, readClaims } from './token-claims.ts';

const nowMs = 1_780_000_000_000;
const now = nowMs / 1000;
const expected = { issuer: tokenIssuer, audience: tokenAudience, nowMs, leewayMs: 20_000 };

const verdict = (change: Record<string, unknown>): string => {
  const read = readClaims(somePayload(nowMs, change));
  const checked = read.ok ? checkClaims(read.value, expected) : read;
  return checked.ok ? 'good' : (checked.problems[0]?.field ?? '');
};

const kubernetes = (change: Record<string, unknown>): Record<string, unknown> => ({
  'kubernetes.io': {
    namespace: 'demo',
    pod: { name: 'frontend-0', uid: 'p' },
    serviceaccount: { name: 'default', uid: 's' },
    ...change,
  },
});

describe('the claims of a token', () => {
  it('say whose it is', () => {
    assert.deepEqual(readClaims(somePayload(nowMs)), {
      ok: true,
      value: {
        issuer: tokenIssuer,
        audiences: [tokenAudience],
        expires: now + 3600,
        notBefore: now - 60,
        namespace: 'demo',
        serviceAccount: { name: 'default', uid: 'uid-of-default' },
        pod: { name: 'frontend-0', uid: 'uid-of-frontend-0' },
        alsoBoundTo: undefined,
      },
    });
  });

  const table: readonly [string, Record<string, unknown>, string][] = [
    ['as the API server makes them', {}, 'good'],
    ['with one audience as text', { aud: tokenAudience }, 'good'],
    ['for several audiences, ours among them', { aud: ['vault', tokenAudience] }, 'good'],
    ['without a pod', kubernetes({ pod: undefined }), 'good'],
    [
      'of a ServiceAccount with dots in its name',
      {
        ...kubernetes({ serviceaccount: { name: 'a.b.c', uid: 's' } }),
        sub: 'system:serviceaccount:demo:a.b.c',
      },
      'good',
    ],
    ['that hold from now', { nbf: now }, 'good'],
    ['issued by a clock 20 s ahead', { nbf: now + 20 }, 'good'],
    ['that hold for one second more', { exp: now + 1 }, 'good'],
    ['without nbf, issued a minute ago', { nbf: undefined }, 'good'],
    ['of another issuer', { iss: 'https://kubernetes.default.svc' }, 'token.iss'],
    ['of no issuer', { iss: undefined }, 'token.iss'],
    ['for another audience', { aud: ['vault'] }, 'token.aud'],
    ['for an audience that only begins like ours', { aud: ['identity.l5d.io.evil.example'] }, 'token.aud'],
    ['for nobody', { aud: [] }, 'token.aud'],
    ['without audience', { aud: undefined }, 'token.aud'],
    ['with an audience that is a number', { aud: [7] }, 'token.aud'],
    ['that end now', { exp: now }, 'token.exp'],
    ['that ended an hour ago', { exp: now - 3600 }, 'token.exp'],
    ['that never end', { exp: undefined }, 'token.exp'],
    ['that end at no number', { exp: '9999999999' }, 'token.exp'],
    ['that end after the last day there is', { exp: 8_640_000_000_001 }, 'token.exp'],
    ['that end beyond all numbers', { exp: Number.POSITIVE_INFINITY }, 'token.exp'],
    ['that ended before time began', { exp: -1 }, 'token.exp'],
    ['that end on the last day there is', { exp: 8_640_000_000_000 }, 'good'],
    ['that hold from beyond all numbers', { nbf: 1e308 }, 'token.nbf'],
    ['that hold from before time began', { nbf: -1 }, 'token.nbf'],
    ['that hold from a text', { nbf: '0' }, 'token.nbf'],
    ['with fractions of a second', { exp: now + 0.5, nbf: now - 0.5 }, 'good'],
    ['for a list that holds a list', { aud: [[tokenAudience]] }, 'token.aud'],
    ['for an object', { aud: { 0: tokenAudience } }, 'token.aud'],
    ['for our audience in another case', { aud: [tokenAudience.toUpperCase()] }, 'token.aud'],
    ['for our audience and a space', { aud: `${tokenAudience} ` }, 'token.aud'],
    ['whose pod is null', kubernetes({ pod: null }), 'token.kubernetes.io.pod'],
    ['that hold from in 21 s', { nbf: now + 21 }, 'token.nbf'],
    ['that say neither nbf nor iat', { nbf: undefined, iat: undefined }, 'token.nbf'],
    ['issued at no time, with nbf', { iat: 'today' }, 'token.nbf'],
    ['that hold from null, with iat', { nbf: null }, 'token.nbf'],
    ['of somebody beside Kubernetes', { 'kubernetes.io': undefined }, 'token.kubernetes.io'],
    ['without namespace', kubernetes({ namespace: undefined }), 'token.kubernetes.io'],
    ['without ServiceAccount', kubernetes({ serviceaccount: undefined }), 'token.kubernetes.io'],
    [
      'whose ServiceAccount has no uid',
      kubernetes({ serviceaccount: { name: 'default' } }),
      'token.kubernetes.io',
    ],
    ['whose pod has no uid', kubernetes({ pod: { name: 'frontend-0' } }), 'token.kubernetes.io.pod'],
    ['whose subject is somebody else', { sub: 'system:serviceaccount:demo:admin' }, 'token.sub'],
    ['whose subject is a user', { sub: 'alice' }, 'token.sub'],
  ];

  it('come in 44 variants here', () => assert.equal(table.length, 44));
  for (const [title, change, field] of table) {
    it(`${title} are ${field === 'good' ? 'accepted' : `refused for ${field}`}`, () =>
      assert.equal(verdict(change), field));
  }

  const bonds: readonly [string, Record<string, unknown>, string | undefined][] = [
    ['a pod', {}, undefined],
    ['a pod on a node', { node: { name: 'n', uid: 'u' } }, undefined],
    ['nothing', { pod: undefined }, undefined],
    ['a node', { pod: undefined, node: { name: 'n', uid: 'u' } }, 'a Node'],
    ['a Secret', { pod: undefined, secret: { name: 's', uid: 'u' } }, 'a Secret'],
    ['a pod and a Secret', { secret: { name: 's', uid: 'u' } }, 'a Secret'],
  ];
  it('have 6 bonds here', () => assert.equal(bonds.length, 6));
  for (const [title, change, expected] of bonds) {
    it(`of a token bound to ${title} say what else must exist`, () => {
      const read = readClaims(somePayload(nowMs, kubernetes(change)));
      assert.equal(read.ok ? read.value.alsoBoundTo : 'refused', expected);
    });
  }

  it('are none if the payload is not an object', () => {
    for (const payload of [undefined, null, 'text', 7, [], true])
      assert.equal(readClaims(payload).ok, false, String(payload));
  });
});
