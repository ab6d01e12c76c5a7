import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { silentLog } from '@gatehouse/shared/log';
import { temporaryFolder } from '@gatehouse/shared/testing/temporary-folder';
import fc from 'fast-check';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import {
  aTokenSigner,
  hmacWithPublicKey,
  signToken,
  somePayload,
  type TokenSigner,
  tokenAudience,
  tokenIssuer,
  unsecured,
} from '../../testing/token-builder.ts';
import type { Caller } from '../certify.ts';
import type { TokenClaims } from '../core/token-claims.ts';
import { JwksReviewer } from './jwks-reviewer.ts';
import { TokenKeys } from './token-keys.ts';

const nowMs = 1_780_000_000_000;
const signer = aTokenSigner();
const caller: Caller = {
  namespace: 'demo',
  serviceAccount: 'default',
  pod: { name: 'frontend-0', uid: 'uid-of-frontend-0' },
};

const publish = (path: string, ...signers: readonly TokenSigner[]): Promise<void> =>
  writeFile(path, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));

const aReviewer = async (
  test: TestContext,
  {
    signers = [signer],
    requirePodBoundToken = true,
  }: { signers?: readonly TokenSigner[]; requirePodBoundToken?: boolean } = {},
) => {
  const file = join(await temporaryFolder(test), 'jwks.json');
  await publish(file, ...signers);
  let clock = nowMs;
  const now = (): number => clock;
  const keys = new TokenKeys({ file, log: silentLog, now });
  await keys.refresh();
  const asked: TokenClaims[] = [];
  const reviewer = new JwksReviewer({
    keys,
    callers: { require: (claims) => void asked.push(claims) },
    issuer: tokenIssuer,
    audience: tokenAudience,
    requirePodBoundToken,
    leewayMs: 20_000,
    now,
  });
  return {
    file,
    asked,
    review: async (token: Uint8Array): Promise<Caller> => reviewer.review(token),
    pass: (ms: number) => {
      clock += ms;
    },
  };
};

describe('the review of a token by public keys', () => {
  for (const alg of ['ES256', 'ES384', 'ES512', 'RS256'] as const) {
    it(`believes ${alg}`, async (test) => {
      const own = aTokenSigner(alg);
      const { review } = await aReviewer(test, { signers: [signer, own] });
      assert.deepEqual(await review(signToken(own, somePayload(nowMs))), caller);
    });
  }

  it('asks the watch for the pod and the ServiceAccount of the token', async (test) => {
    const { review, asked } = await aReviewer(test);
    await review(signToken(signer, somePayload(nowMs)));
    assert.deepEqual(
      asked.map(({ namespace, pod, serviceAccount }) => ({ namespace, pod, serviceAccount })),
      [
        {
          namespace: 'demo',
          pod: { name: 'frontend-0', uid: 'uid-of-frontend-0' },
          serviceAccount: { name: 'default', uid: 'uid-of-default' },
        },
      ],
    );
  });

  it('believes a token without key id where there is only one key', async (test) => {
    const token = signToken(signer, somePayload(nowMs), { kid: undefined });
    assert.deepEqual(await (await aReviewer(test)).review(token), caller);
    const two = await aReviewer(test, { signers: [signer, aTokenSigner('RS256')] });
    await assert.rejects(two.review(token), { code: 'failed-precondition' });
  });

  const without = somePayload(nowMs, {
    'kubernetes.io': { namespace: 'demo', serviceaccount: { name: 'default', uid: 'uid-of-default' } },
  });

  it('refuses a token that is bound to no pod, unless told otherwise', async (test) => {
    const token = signToken(signer, without);
    await assert.rejects((await aReviewer(test)).review(token), {
      code: 'failed-precondition',
      message: /GATEHOUSE_REQUIRE_POD_BOUND_TOKEN/,
    });
    const lenient = await aReviewer(test, { requirePodBoundToken: false });
    assert.deepEqual(await lenient.review(token), { ...caller, pod: undefined });
  });

  const stranger = aTokenSigner('ES256', signer.kid);
  const payload = somePayload(nowMs);
  const good = Buffer.from(signToken(signer, payload)).toString();
  const [head, , seal] = good.split('.');
  const admin = Buffer.from(JSON.stringify({ ...payload, sub: 'system:serviceaccount:demo:admin' })).toString(
    'base64url',
  );
  const bad: readonly [string, 'invalid-argument' | 'failed-precondition', Uint8Array][] = [
    ['that is no token', 'invalid-argument', Buffer.from('hello')],
    ['in quotes', 'invalid-argument', Buffer.from(`"${good}"`)],
    ['with `alg: none`', 'failed-precondition', unsecured(payload, signer.kid)],
    ['signed by HS256 with the public key', 'failed-precondition', hmacWithPublicKey(signer, payload)],
    [
      'that claims another algorithm than its key is for',
      'failed-precondition',
      signToken(signer, payload, { alg: 'ES384' }),
    ],
    [
      'that claims RS256 with the key of ES256',
      'failed-precondition',
      signToken(signer, payload, { alg: 'RS256' }),
    ],
    ['signed by another key under the same key id', 'failed-precondition', signToken(stranger, payload)],
    [
      'signed by a key that nobody published',
      'failed-precondition',
      signToken(aTokenSigner('ES256', 'other'), payload),
    ],
    [
      'with another payload under the signature',
      'failed-precondition',
      Buffer.from(`${head}.${admin}.${seal}`),
    ],
    ['without its signature', 'failed-precondition', Buffer.from(`${good.slice(0, good.lastIndexOf('.'))}.`)],
    ['for another audience', 'failed-precondition', signToken(signer, { ...payload, aud: ['vault'] })],
    ['without audience', 'failed-precondition', signToken(signer, { ...payload, aud: undefined })],
    ['that has expired', 'failed-precondition', signToken(signer, { ...payload, exp: nowMs / 1000 - 1 })],
    [
      'that is not valid yet',
      'failed-precondition',
      signToken(signer, { ...payload, nbf: nowMs / 1000 + 60 }),
    ],
    [
      'of another issuer',
      'failed-precondition',
      signToken(signer, { ...payload, iss: 'https://evil.example' }),
    ],
    ['that is signed text', 'failed-precondition', signToken(signer, 'text')],
    ['that carries its own key', 'failed-precondition', signToken(stranger, payload, { jwk: stranger.jwk })],
  ];

  it('knows 17 bad tokens', () => assert.equal(bad.length, 17));
  for (const [title, code, token] of bad) {
    it(`refuses one ${title}`, async (test) => {
      const { review, asked } = await aReviewer(test);
      await assert.rejects(review(token), { name: 'GatehouseError', code });
      assert.deepEqual(asked, [], 'and nobody was looked for');
    });
  }

  it('refuses a token in which any byte was changed', async (test) => {
    const { review } = await aReviewer(test);
    const token = signToken(signer, payload);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = token.with(at, (token[at] ?? 0) ^ mask);
        // The last character of the signature carries two bits that mean nothing (RFC 4648 §3.5).
        if (at === token.length - 1) return;
        await assert.rejects(review(changed), (error: { code?: string }) =>
          ['invalid-argument', 'failed-precondition'].includes(error.code ?? ''),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('agrees with jose on what jose signs, and jose on what it believes', async (test) => {
    for (const alg of ['ES256', 'ES384', 'ES512', 'RS256'] as const) {
      const own = aTokenSigner(alg);
      const { review } = await aReviewer(test, { signers: [own] });
      const token = await new SignJWT(payload).setProtectedHeader({ alg, kid: own.kid }).sign(own.key);
      assert.deepEqual(await review(Buffer.from(token)), caller, alg);
      const set = createLocalJWKSet({ keys: [own.jwk] } as unknown as JSONWebKeySet);
      const ours = Buffer.from(signToken(own, payload)).toString();
      const options = { issuer: tokenIssuer, audience: tokenAudience, currentDate: new Date(nowMs) };
      assert.equal((await jwtVerify(ours, set, options)).payload.sub, payload.sub, alg);
    }
  });

  it('finds a new key, and no longer the old one, at most ten seconds after it was last unknown', async (test) => {
    const { file, review, pass } = await aReviewer(test);
    const next = aTokenSigner('ES256', 'next');
    await publish(file, next);
    await assert.rejects(review(signToken(next, somePayload(nowMs))), /no key of its issuer/);
    pass(10_000);
    assert.deepEqual(await review(signToken(next, somePayload(nowMs))), caller);
    await assert.rejects(review(signToken(signer, somePayload(nowMs))), /no key of its issuer/);
  });

  it('keeps the keys it has when the set cannot be read', async (test) => {
    const { file, review, pass } = await aReviewer(test);
    for (const spoil of [
      () => writeFile(file, '{"keys": ['),
      () => writeFile(file, '{"keys": []}'),
      () => rm(file),
    ]) {
      await spoil();
      pass(10_000);
      await assert.rejects(review(signToken(aTokenSigner('ES256', 'other'), payload)));
      assert.deepEqual(await review(signToken(signer, payload)), caller);
    }
  });
});
