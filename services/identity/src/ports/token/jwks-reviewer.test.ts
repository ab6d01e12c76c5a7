import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { silentLog } from '@gatehouse/platform/log/log';
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
} from '../../../testing/token-builder.ts';
import type { Caller } from '../../certify/certify.ts';
import type { TokenClaims } from '../../core/token/token-claims.ts';
import { JwksReviewer } from './jwks-reviewer.ts';
import type { PublishedKeys } from './key-source.ts';
import { TokenKeys } from './token-keys.ts';
import type { Standing } from './watched-callers.ts';

const nowMs = 1_780_000_000_000;
const signer = aTokenSigner();
const caller: Caller = {
  namespace: 'demo',
  serviceAccount: 'default',
  pod: { name: 'frontend-0', uid: 'uid-of-frontend-0' },
};

const setOf = (signers: readonly TokenSigner[], issuer = tokenIssuer): PublishedKeys => ({
  issuer,
  set: { keys: signers.map(({ jwk }) => jwk) },
});

interface Wanted {
  readonly signers?: readonly TokenSigner[];
  readonly requirePodBoundToken?: boolean;
  /** What the watch says of everybody. */
  readonly standing?: Standing;
  /** What the API server says; without it there is none. */
  readonly secondOpinion?: () => Promise<Caller>;
}

const aReviewer = async ({
  signers = [signer],
  requirePodBoundToken = true,
  standing = { kind: 'known' },
  secondOpinion,
}: Wanted = {}) => {
  let clock = nowMs;
  const now = (): number => clock;
  let published: () => Promise<PublishedKeys> = async () => setOf(signers);
  const source = { name: 'the test', read: () => published() };
  const keys = new TokenKeys({ source, maxStalenessMs: 90_000, log: silentLog, now, elapsed: now });
  await keys.refresh();
  const asked: TokenClaims[] = [];
  const remembered: string[] = [];
  const elsewhere: string[] = [];
  const reviewer = new JwksReviewer({
    keys,
    callers: {
      judge: (claims) => {
        asked.push(claims);
        return standing;
      },
      remember: (uid) => void remembered.push(uid),
    },
    secondOpinion:
      secondOpinion === undefined
        ? undefined
        : {
            review: (token) => {
              elsewhere.push(Buffer.from(token).toString());
              return secondOpinion();
            },
          },
    audience: tokenAudience,
    requirePodBoundToken,
    leewayMs: 20_000,
    now,
  });
  return {
    asked,
    remembered,
    elsewhere,
    publish: (next: () => Promise<PublishedKeys>) => {
      published = next;
    },
    review: async (token: Uint8Array): Promise<Caller> =>
      reviewer.review(token, { from: '10.0.0.1', signal: new AbortController().signal }),
    pass: (ms: number) => {
      clock += ms;
    },
  };
};

describe('the review of a token by public keys', () => {
  for (const alg of ['ES256', 'ES384', 'ES512', 'RS256'] as const) {
    it(`believes ${alg}`, async () => {
      const own = aTokenSigner(alg, 'own');
      const { review } = await aReviewer({ signers: [signer, own] });
      assert.deepEqual(await review(signToken(own, somePayload(nowMs))), caller);
    });
  }

  it('asks the watch for the pod and the ServiceAccount of the token', async () => {
    const { review, asked } = await aReviewer();
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

  it('believes a token without key id where there is only one key', async () => {
    const token = signToken(signer, somePayload(nowMs), { kid: undefined });
    assert.deepEqual(await (await aReviewer()).review(token), caller);
    const two = await aReviewer({ signers: [signer, aTokenSigner('RS256')] });
    await assert.rejects(two.review(token), { code: 'failed-precondition' });
  });

  const without = somePayload(nowMs, {
    'kubernetes.io': { namespace: 'demo', serviceaccount: { name: 'default', uid: 'uid-of-default' } },
  });

  it('refuses a token that is bound to no pod, unless told otherwise', async () => {
    const token = signToken(signer, without);
    await assert.rejects((await aReviewer()).review(token), {
      code: 'failed-precondition',
      message: /GATEHOUSE_REQUIRE_POD_BOUND_TOKEN/,
    });
    const lenient = await aReviewer({ requirePodBoundToken: false });
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
    ['that is not a valid token', 'invalid-argument', Buffer.from('hello')],
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
    it(`refuses one ${title}`, async () => {
      const { review, asked } = await aReviewer();
      await assert.rejects(review(token), { name: 'GatehouseError', code });
      assert.deepEqual(asked, [], 'and nobody was looked for');
    });
  }

  it('refuses a token in which any byte was changed', async () => {
    const { review } = await aReviewer();
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

  it('agrees with jose on what jose signs, and jose on what it believes', async () => {
    for (const alg of ['ES256', 'ES384', 'ES512', 'RS256'] as const) {
      const own = aTokenSigner(alg);
      const { review } = await aReviewer({ signers: [own] });
      const token = await new SignJWT(payload).setProtectedHeader({ alg, kid: own.kid }).sign(own.key);
      assert.deepEqual(await review(Buffer.from(token)), caller, alg);
      const set = createLocalJWKSet({ keys: [own.jwk] } as unknown as JSONWebKeySet);
      const ours = Buffer.from(signToken(own, payload)).toString();
      const options = { issuer: tokenIssuer, audience: tokenAudience, currentDate: new Date(nowMs) };
      assert.equal((await jwtVerify(ours, set, options)).payload.sub, payload.sub, alg);
    }
  });

  it('finds a new key, and no longer the old one, at most ten seconds after it was last unknown', async () => {
    const { publish, review, pass } = await aReviewer();
    const next = aTokenSigner('ES256', 'next');
    publish(async () => setOf([next]));
    await assert.rejects(review(signToken(next, payload)), /no key of its issuer/);
    pass(10_000);
    assert.deepEqual(await review(signToken(next, payload)), caller);
    await assert.rejects(review(signToken(signer, payload)), /no key of its issuer/);
  });

  it('follows an API server that is given another name', async () => {
    const { publish, review, pass } = await aReviewer();
    const renamed = { ...payload, iss: 'https://new.example' };
    publish(async () => setOf([signer], 'https://new.example'));
    await assert.rejects(review(signToken(signer, renamed)), /its issuer `https:..new.example` is not ours/);
    pass(10_000);
    assert.deepEqual(await review(signToken(signer, renamed)), caller);
    await assert.rejects(review(signToken(signer, payload)), /is not ours/);
  });

  it('takes no name of an issuer that is only nearly ours', async () => {
    const { review } = await aReviewer();
    for (const iss of [
      `${tokenIssuer}/`,
      tokenIssuer.toUpperCase(),
      ` ${tokenIssuer}`,
      tokenIssuer.slice(0, -1),
    ]) {
      await assert.rejects(
        review(signToken(signer, { ...payload, iss })),
        { code: 'failed-precondition' },
        iss,
      );
    }
  });

  const unpublished = aTokenSigner('ES256', 'other');

  it('keeps the keys it has when they cannot be read, and then cannot say anything of unknown ones', async () => {
    const { publish, review, pass } = await aReviewer();
    publish(() => Promise.reject(new Error('away')));
    pass(10_000);
    await assert.rejects(review(signToken(unpublished, payload)), {
      code: 'unavailable',
      message: /cannot be read: away/,
    });
    assert.deepEqual(await review(signToken(signer, payload)), caller);
  });

  it('cannot say anything by keys that are too old', async () => {
    const { publish, review, pass } = await aReviewer();
    publish(() => Promise.reject(new Error('away')));
    pass(3_600_001);
    const late = somePayload(nowMs + 3_600_001);
    await assert.rejects(review(signToken(signer, late)), { code: 'unavailable', message: /too old/ });
  });

  it('does not read the keys again for an algorithm that none of them could be for', async () => {
    const { publish, review, pass } = await aReviewer();
    publish(() => assert.fail('read again'));
    pass(10_000);
    for (const alg of ['none', 'HS256', 'PS256', 'EdDSA']) {
      await assert.rejects(review(signToken(unpublished, payload, { alg })), { code: 'failed-precondition' });
    }
  });
});

describe('a token that keys and watch cannot decide', () => {
  const token = signToken(signer, somePayload(nowMs));
  const unseen: Standing = { kind: 'unseen', why: 'there is no pod', uid: 'uid-of-frontend-0' };
  const stale: Standing = { kind: 'undecided', why: 'the watch is stale' };
  const agree = async (): Promise<Caller> => ({ ...caller, serviceAccount: 'as-the-api-server-says' });
  const fail = (code: 'failed-precondition' | 'unavailable') => (): Promise<Caller> =>
    Promise.reject(new GatehouseError(code, 'said the API server'));
  const secret = signToken(
    signer,
    somePayload(nowMs, {
      'kubernetes.io': {
        namespace: 'demo',
        serviceaccount: { name: 'default', uid: 'uid-of-default' },
        secret: { name: 's', uid: 'u' },
      },
    }),
  );

  it('is refused where nobody else can be asked and its pod was not seen, which is remembered', async () => {
    const { review, remembered } = await aReviewer({ standing: unseen });
    await assert.rejects(review(token), { code: 'failed-precondition', message: /there is no pod/ });
    assert.deepEqual(remembered, ['uid-of-frontend-0']);
  });

  it('is nobody’s where nobody else can be asked and the watch is stale', async () => {
    const { review, remembered } = await aReviewer({ standing: stale });
    await assert.rejects(review(token), { code: 'unavailable', message: 'the watch is stale' });
    assert.deepEqual(remembered, []);
  });

  for (const standing of [unseen, stale]) {
    it(`is the API server’s to decide when its pod is ${standing.kind}, by one review`, async () => {
      const desk = await aReviewer({ standing, secondOpinion: agree });
      assert.equal((await desk.review(token)).serviceAccount, 'as-the-api-server-says');
      assert.deepEqual(desk.elsewhere, [Buffer.from(token).toString()]);
      assert.deepEqual(desk.remembered, []);
    });

    it(`is nobody’s when its pod is ${standing.kind} and the API server is away, and that is not remembered`, async () => {
      const desk = await aReviewer({ standing, secondOpinion: fail('unavailable') });
      await assert.rejects(desk.review(token), { code: 'unavailable', message: 'said the API server' });
      assert.deepEqual(desk.remembered, []);
    });

    it(`is refused when its pod is ${standing.kind} and the API server refuses it`, async () => {
      const desk = await aReviewer({ standing, secondOpinion: fail('failed-precondition') });
      await assert.rejects(desk.review(token), {
        code: 'failed-precondition',
        message: 'said the API server',
      });
      assert.deepEqual(desk.remembered, standing.kind === 'unseen' ? ['uid-of-frontend-0'] : []);
    });
  }

  it('is not asked about elsewhere when the watch knows or refuses it', async () => {
    const knows = await aReviewer({ secondOpinion: agree });
    assert.deepEqual(await knows.review(token), caller);
    const refuses = await aReviewer({
      standing: { kind: 'refused', why: 'pod demo/frontend-0 has been deleted' },
      secondOpinion: agree,
    });
    await assert.rejects(refuses.review(token), /has been deleted/);
    assert.deepEqual([knows.elsewhere, refuses.elsewhere], [[], []]);
  });

  it('is asked about elsewhere when its key may be newer than those that can be read', async () => {
    const desk = await aReviewer({ secondOpinion: agree });
    const newer = signToken(aTokenSigner('ES256', 'newer'), somePayload(nowMs));
    await assert.rejects(desk.review(newer), { code: 'failed-precondition' });
    desk.publish(() => Promise.reject(new Error('away')));
    desk.pass(10_000);
    assert.equal((await desk.review(newer)).serviceAccount, 'as-the-api-server-says');
    assert.equal(desk.elsewhere.length, 1);
  });

  it('is asked about elsewhere when our key signed it for an issuer that is not shown', async () => {
    const desk = await aReviewer({ secondOpinion: agree });
    const former = { ...somePayload(nowMs), iss: 'https://former.example' };
    assert.equal((await desk.review(signToken(signer, former))).serviceAccount, 'as-the-api-server-says');
    const forged = signToken(aTokenSigner('ES256', signer.kid), former);
    await assert.rejects(desk.review(forged), /does not verify/);
    assert.equal(desk.elsewhere.length, 1);
  });

  it('is asked about elsewhere when it is bound to what nobody here watches', async () => {
    const alone = await aReviewer({ requirePodBoundToken: false });
    await assert.rejects(alone.review(secret), { code: 'failed-precondition', message: /bound to a Secret/ });
    const desk = await aReviewer({ requirePodBoundToken: false, secondOpinion: agree });
    await desk.review(secret);
    assert.equal(desk.elsewhere.length, 1);
  });

  it('is not asked about elsewhere when its signature is wrong', async () => {
    const desk = await aReviewer({ standing: stale, secondOpinion: agree });
    const forged = signToken(aTokenSigner('ES256', signer.kid), somePayload(nowMs));
    await assert.rejects(desk.review(forged), /does not verify/);
    assert.deepEqual(desk.elsewhere, []);
  });
});
