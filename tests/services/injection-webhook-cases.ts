import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { Source } from '@gatehouse/platform/kube/source';
import { eventually } from '@gatehouse/testing/grpc';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { configPath, foreign, type InjectionCluster, secretPath } from './injection-cluster.ts';
import { postTo } from './webhook-service.ts';

const day = 86_400_000;

/** By what the API server knows the webhook, through the life of its certificate, and what the webhook answers to others. */
export const webhookCases = (mesh: () => InjectionCluster): void => {
  test('the CA stands beside what was in a bundle, and a bundle that was reset gets it again', async () => {
    const [own, others] = await mesh().bundles();
    const ca = (await mesh().secretText('ca.crt')).trim();
    assert.equal(own?.trim(), ca);
    assert.ok(others?.includes(foreign.trim()) && others.includes(ca));
    await mesh().cluster.ask({
      method: 'PATCH',
      path: configPath,
      contentType: 'application/json-patch+json',
      body: [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }],
    });
    await eventually(() => mesh().isTrusted());
  });

  test('a proxy starts closed while the policies are not known yet', async () => {
    const [{ stop } = { stop: async () => {} }] = mesh().running.splice(0);
    await stop('another takes its place, whose lists never come');
    const waiting = await mesh().start({ source: silentSource });
    const certificate = new X509Certificate(await mesh().secretText('tls.crt')).fingerprint256;
    await eventually(async () => (await certificateAt(waiting.webhook ?? '')) === certificate);
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: aRequest };
    const decided = async (): Promise<string> => {
      const { body } = await post(`${waiting.webhook}/inject`, JSON.stringify(review), 'application/json');
      const { patch = '' } = (body.response ?? {}) as { readonly patch?: string };
      return Buffer.from(patch, 'base64').toString();
    };
    await eventually(async () =>
      (await decided()).includes('{"name":"LINKERD2_PROXY_INBOUND_DEFAULT_POLICY","value":"deny"}'),
    );
  });

  test('a Secret that is lost is made again, for all replicas', async () => {
    await mesh().start();
    const before = await mesh().secretText('tls.crt');
    await mesh().cluster.ask({ method: 'DELETE', path: secretPath });
    await eventually(async () => ![before, ''].includes(await mesh().secretText('tls.crt')));
    await eventually(() => mesh().isTrusted());
    const now = new X509Certificate(await mesh().secretText('tls.crt')).fingerprint256;
    for (const { webhook = '' } of mesh().running)
      await eventually(async () => (await certificateAt(webhook)) === now);
  });

  test('a certificate is renewed before it ends, and the old CA is trusted until it does', async () => {
    for (const service of mesh().running.splice(0)) await service.stop('its clock is of today');
    const old = await mesh().secretText('ca.crt');
    await mesh().start({ now: () => Date.now() + 300 * day });
    await eventually(async () => ![old, ''].includes(await mesh().secretText('ca.crt')));
    await eventually(() => mesh().isTrusted());
    assert.ok((await mesh().bundles()).every((bundle) => bundle.includes(old.trim())));
  });

  test('a request that is no review gets a Status that says what is wrong', async () => {
    const [{ webhook = '' } = { webhook: '' }] = mesh().running;
    const json = 'application/json';
    const cases: readonly (readonly [
      path: string,
      body: string,
      type: string,
      code: number,
      message: RegExp,
    ])[] = [
      ['/inject', '{', json, 400, /not valid JSON/i],
      ['/inject', '[]', json, 400, /the body is not an AdmissionReview/],
      [
        '/inject',
        '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
        json,
        400,
        /request\.uid: is not text/,
      ],
      ['/inject', 'a: b', 'application/yaml', 415, /unsupported media type/i],
      ['/inject', `"${'x'.repeat(9 * 1024 * 1024)}"`, json, 413, /too large/i],
      ['/nowhere', '{}', json, 404, /no webhook is at POST \/nowhere: POST to \/inject, \/validate/],
    ];
    assert.equal(cases.length, 6);
    for (const [path, body, type, code, message] of cases) {
      const answer = await post(`${webhook}${path}`, body, type);
      assert.equal(answer.code, code, path);
      assert.equal(answer.body.kind, 'Status');
      assert.match(`${answer.body.message}`, message);
    }
    const odd = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: oddRequest };
    const answer = await post(`${webhook}/inject`, JSON.stringify(odd), json);
    assert.deepEqual([answer.code, (answer.body.response as WireObject).allowed], [200, false]);
  });
};

/** A cluster whose lists never come. */
const silentSource: Source = {
  run: (_kinds, _deliver, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  health: () => [],
};

/** A pod that no API server lets through. */
const oddRequest = {
  uid: 'u',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  operation: 'CREATE',
  namespace: 'demo',
  object: { metadata: 7, spec: { containers: 'none', hostNetwork: [] } },
};

/** A pod of the namespace that asks for injection. */
const aRequest = {
  ...oddRequest,
  object: { metadata: { name: 'p' }, spec: { serviceAccountName: 'default', containers: [{ name: 'app' }] } },
};

const certificateAt = (url: string): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = httpsRequest(url, { rejectUnauthorized: false, agent: false }, (response) => {
    resolve((response.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? '');
    response.resume();
  });
  request.on('error', reject);
  request.end();
  return promise.catch(() => '');
};

const post = async (
  url: string,
  body: string,
  type: string,
): Promise<{ readonly code: number; readonly body: WireObject }> => {
  const { code, text } = await postTo(url, body, type);
  return { code, body: JSON.parse(text) };
};
