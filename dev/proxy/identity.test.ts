import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseHostPort } from '@gatehouse/core/host-port';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { aCertificate, aKey, anAuthority, aTlsMaterial } from '../certificates.ts';
import { readProxyConfig } from './env.ts';
import type { ProxyEvent } from './event-log.ts';
import { createIdentity, type Obtain, obtainByCertify, refreshAfterMs } from './identity.ts';
import { podName } from './test-mesh.ts';

const hour = 3_600_000;
const limits = { minRefreshMs: 10_000, maxRefreshMs: 24 * hour };

test('a certificate is renewed at 70 % of what is left, within the bounds: four lives', () => {
  const cases = [
    [10 * hour, 7 * hour],
    [100 * hour, 24 * hour],
    [5_000, 10_000],
    [-1, 10_000],
  ] as const;
  assert.equal(cases.length, 4);
  for (const [left, expected] of cases) assert.equal(refreshAfterMs(left, limits), expected);
});

/** An identity whose certificates the test makes. */
const anIdentity = async (t: TestContext, obtain: (token: string, key: KeyObject) => Promise<Uint8Array>) => {
  const folder = await temporaryFolder(t);
  const tokenFile = join(folder, 'token');
  const identityDir = join(folder, 'identity');
  const abort = new AbortController();
  const events: ProxyEvent[] = [];
  const told: (() => void)[] = [];
  const wrapped: Obtain = async ({ key, token }) => {
    const leaf = await obtain(Buffer.from(token).toString(), key);
    return { key, chain: [leaf], trustAnchors: '', validFrom: Date.now(), validUntil: Date.now() + hour };
  };
  const identity = await createIdentity({
    config: { identityDir, tokenFile, localName: podName, minRefreshMs: 1, maxRefreshMs: 1 },
    obtain: wrapped,
    log: (event) => {
      events.push(event);
      for (const listener of told.splice(0)) listener();
    },
    now: Date.now,
  });
  const next = (): Promise<void> => new Promise((resolve) => told.push(resolve));
  const running = { stop: async () => {} };
  const start = (): void => {
    const done = identity.run(abort.signal);
    running.stop = async () => {
      abort.abort();
      await done;
    };
  };
  t.after(() => running.stop());
  return { identity, identityDir, tokenFile, events, next, start };
};

test('key and signing request are made again, for the owner alone to read', async (t) => {
  const { identityDir } = await anIdentity(t, () => Promise.reject(new Error('not asked')));
  const file = join(identityDir, 'key.p8');
  const key = createPrivateKey({ key: await readFile(file), format: 'der', type: 'pkcs8' });
  assert.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok((await readFile(join(identityDir, 'csr.der'))).includes(podName));
});

test('the token is read again for every attempt, and a missing or empty one is said and tried again', async (t) => {
  const issuer = anAuthority();
  const tokens: string[] = [];
  const { identity, tokenFile, events, next, start } = await anIdentity(t, async (token, key) => {
    tokens.push(token);
    return aCertificate(issuer, { dns: [podName], publicKey: createPublicKey(key) });
  });
  start();
  await next();
  assert.ok(events[0]?.event === 'certify-failed');
  await writeFile(tokenFile, 'one');
  while (identity.certificate.value === undefined) await next();
  await writeFile(tokenFile, 'two');
  while (!tokens.includes('two')) await next();
  assert.equal(tokens[0], 'one');
  const first = identity.certificate.value;
  await writeFile(tokenFile, '');
  while (!(events.at(-1)?.event === 'certify-failed')) await next();
  assert.ok(identity.certificate.value !== undefined && first !== undefined, 'the old one stays');
});

test('Certify is called over TLS with the mesh name, and what comes back is checked', async (t) => {
  const root = anAuthority();
  const name = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
  const asked: CertifyRequest[] = [];
  let leafFor = podName;
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'token'), 'a token');
  let publicKey: KeyObject | undefined;
  const server = await startGrpcServer({
    address: { host: '127.0.0.1', port: 0 },
    tls: { material: aTlsMaterial(root, { name }) },
    log: silentLog,
    metrics: new Metrics('test'),
    methods: {
      '/io.linkerd.proxy.identity.Identity/Certify': {
        kind: 'unary',
        handle: ({ request }) => {
          asked.push(CertifyRequest.decode(request));
          const leaf = aCertificate(root, { dns: [leafFor], ...(publicKey && { publicKey }) });
          return CertifyResponse.encode({
            leafCertificate: Buffer.from(leaf),
            intermediateCertificates: [],
            validUntil: new Date(Date.now() + hour),
          }).finish();
        },
      },
    },
  });
  t.after(() => server.drain(1));
  const address = parseHostPort(server.address);
  assert.ok(address.ok);
  const control = { address: address.value, name };
  const config = {
    ...readProxyConfig({
      LINKERD2_PROXY_IDENTITY_SVC_ADDR: server.address,
      LINKERD2_PROXY_IDENTITY_SVC_NAME: name,
      LINKERD2_PROXY_DESTINATION_SVC_ADDR: server.address,
      LINKERD2_PROXY_POLICY_SVC_ADDR: server.address,
      LINKERD2_PROXY_IDENTITY_DIR: folder,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: join(folder, 'token'),
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: podName,
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: root.pem,
      LINKERD2_PROXY_POLICY_WORKLOAD: '{"ns":"demo","pod":"p"}',
    }),
    identity: control,
  };
  const obtain = obtainByCertify(config);
  const key = aKey();
  const request = { key, csr: Buffer.from('csr'), token: Buffer.from('t'), signal: t.signal };
  await assert.rejects(obtain(request), /for another key/);
  publicKey = createPublicKey(key);
  const certified = await obtain(request);
  assert.equal(certified.chain.length, 1);
  assert.deepEqual(
    [asked[0]?.identity, asked[0]?.token.toString(), asked[0]?.certificateSigningRequest.toString()],
    [podName, 't', 'csr'],
  );
  leafFor = 'somebody.else.example';
  await assert.rejects(obtain(request), /somebody\.else/);
  const elsewhere = obtainByCertify({ ...config, identity: { ...control, name: 'not.identity.example' } });
  await assert.rejects(elsewhere(request), /no connection to/);
});
