import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { test } from 'node:test';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { silentLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { secureContextOptions } from '../tls/material.ts';
import { admissionSeconds, startWebhookServer } from './webhook-server.ts';

const authority = anAuthority();
const { key, cert } = secureContextOptions(
  undefined,
  aTlsMaterial(authority, { name: 'gatehouse-webhook.gatehouse.svc' }),
);

const review = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { uid: 'one', kind: { group: '', version: 'v1', kind: 'Pod' }, operation: 'CREATE', object: {} },
});

test('an API server may keep its connections as long as it does: we do not close them before', async (t) => {
  const webhooks = [
    { path: '/inject', admit: async () => ({ kind: 'allowed', patch: [], warnings: [] }) as const },
  ];
  const server = await startWebhookServer({
    address: { host: '127.0.0.1', port: 0 },
    webhooks,
    log: silentLog,
    seconds: admissionSeconds(new Metrics('policy')),
  });
  t.after(() => server.close());
  server.replaceTls({ key: String(key), certificate: String(cert) });
  const call = request(`${server.url}/inject`, {
    method: 'POST',
    ca: authority.pem,
    servername: 'gatehouse-webhook.gatehouse.svc',
    headers: { 'content-type': 'application/json', connection: 'keep-alive' },
  });
  call.end(review);
  const [answer] = await once(call, 'response');
  answer.resume();
  assert.equal(answer.statusCode, 200);
  const seconds = Number(/timeout=(\d+)/.exec(answer.headers['keep-alive'])?.[1]);
  assert.ok(seconds > 90, `closed after ${answer.headers['keep-alive']}`);
  call.destroy();
});
