import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { ensureDevKeys, mintDevToken } from './dev-tokens.ts';
import { makeStateDir } from './state-dir.ts';

const now = Date.parse('2026-05-01T12:00:00.900Z');
const request = { namespace: 'demo', serviceAccount: { name: 'default', uid: 'sa-uid' }, now };

test('a token carries the claims of a projected token and verifies with the public keys alone', async (t) => {
  const state = await makeStateDir(await temporaryFolder(t));
  const token = await mintDevToken({ state, ...request, pod: { name: 'backend-0', uid: 'pod-uid' } });
  const keys = createLocalJWKSet(JSON.parse(await readFile(state.devJwks, 'utf8')));
  const { payload, protectedHeader } = await jwtVerify(token, keys, { currentDate: new Date(now) });
  const issued = Date.parse('2026-05-01T12:00:00Z') / 1000;
  assert.deepEqual(payload, {
    iss: 'https://gatehouse.dev',
    aud: 'identity.l5d.io',
    sub: 'system:serviceaccount:demo:default',
    iat: issued,
    nbf: issued,
    exp: issued + 3600,
    'kubernetes.io': {
      namespace: 'demo',
      pod: { name: 'backend-0', uid: 'pod-uid' },
      serviceaccount: { name: 'default', uid: 'sa-uid' },
    },
  });
  assert.equal(protectedHeader.alg, 'ES256');
});

test('audience and lifetime can be chosen, and without a pod the token is bound to none', async (t) => {
  const state = await makeStateDir(await temporaryFolder(t));
  const token = await mintDevToken({ state, ...request, audience: 'gatehouse', lifetimeMs: 60_000 });
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual([claims.aud, claims.exp - claims.iat], ['gatehouse', 60]);
  assert.deepEqual(Object.keys(claims['kubernetes.io']), ['namespace', 'serviceaccount']);
});

test('the public file holds no private part, and processes that start together sign with one key', async (t) => {
  const state = await makeStateDir(await temporaryFolder(t));
  const tokens = await Promise.all(Array.from({ length: 6 }, () => mintDevToken({ state, ...request })));
  assert.equal(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size, 1);
  const { keys } = JSON.parse(await readFile(state.devJwks, 'utf8'));
  assert.deepEqual(
    keys.map((key: object) => Object.keys(key).sort()),
    [['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
  );
});

test('a key file that holds no key is named with what to do', async (t) => {
  const state = await makeStateDir(await temporaryFolder(t));
  await ensureDevKeys(state);
  for (const broken of ['', '{}', '[]', 'null', '{"kty":"RSA"}']) {
    await writeFile(state.devTokenKey, broken);
    await assert.rejects(mintDevToken({ state, ...request }), {
      code: 'failed-precondition',
      message: `${state.devTokenKey} holds no ES256 key: remove ${state.dev}, and new keys are made`,
    });
  }
});
