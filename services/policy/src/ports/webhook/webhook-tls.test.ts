import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubeClientAt } from '@gatehouse/platform/kube/client/client';
import { silentLog } from '@gatehouse/platform/log/log';
import { makeWebhookTls } from './make-certificate.ts';
import { MeshOfCluster } from './mesh-of-cluster.ts';
import { WebhookKeeper } from './webhook-keeper.ts';
import { appendCa, isDue, readWebhookTls, type WebhookTls, webhookName } from './webhook-tls.ts';

const day = 86_400_000;
const nowMs = Date.parse('2026-12-01T00:00:00Z');
const name = webhookName('gatehouse');
const aCertificate = (lifetimeMs = 365 * day, host = name) => makeWebhookTls(host, { nowMs, lifetimeMs });

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secretOf = ({ ca, certificate, key }: WebhookTls) => ({
  data: { 'ca.crt': base64(ca), 'tls.crt': base64(certificate), 'tls.key': base64(key) },
});

test('what was made is read back, is for the Service, and is renewed with a third of its life left', async () => {
  const made = await aCertificate();
  assert.deepEqual(readWebhookTls(secretOf(made), { name, nowMs }), { ok: true, value: made });
  assert.deepEqual(
    [isDue(made, nowMs), isDue(made, nowMs + 243 * day), isDue(made, nowMs + 244 * day)],
    [false, false, true],
  );
});

test('a Secret that cannot be served is said to be one, with the reason', async () => {
  const [made, other, foreign] = await Promise.all([
    aCertificate(),
    aCertificate(),
    aCertificate(365 * day, 'a.b.svc'),
  ]);
  const cases: readonly (readonly [ReturnType<typeof secretOf> | undefined, number, RegExp])[] = [
    [undefined, 0, /there is no Secret gatehouse-webhook-tls/],
    [secretOf({ ...made, key: other.key }), 0, /is not the key of tls\.crt/],
    [secretOf({ ...made, ca: other.ca }), 0, /did not sign tls\.crt/],
    [secretOf(foreign), 0, /is not for gatehouse-webhook\.gatehouse\.svc/],
    [secretOf(made), 366 * day, /ended at/],
    [secretOf({ ...made, certificate: 'x' }), 0, /cannot be read/],
  ];
  assert.equal(cases.length, 6);
  for (const [secret, later, reason] of cases) {
    const outcome = readWebhookTls(secret, { name, nowMs: nowMs + later });
    assert.ok(!outcome.ok);
    assert.match(outcome.problems[0]?.found ?? '', reason);
  }
});

test('a CA is added once, others stay until they end', async () => {
  const [first, second, short] = await Promise.all([aCertificate(), aCertificate(), aCertificate(day)]);
  assert.equal(appendCa('', first.ca, nowMs), first.ca);
  assert.equal(appendCa(first.ca, first.ca, nowMs), undefined);
  const both = appendCa(`# of another controller\n${short.ca}${first.ca}`, second.ca, nowMs) ?? '';
  assert.ok([short, first, second].every(({ ca }) => both.includes(ca.trim())));
  const later = appendCa(`${short.ca}${first.ca}`, second.ca, nowMs + 2 * day) ?? '';
  assert.deepEqual(
    [short, first, second].map(({ ca }) => later.includes(ca.trim())),
    [false, true, true],
  );
});

test('a replica that cannot serve the webhook says why', () => {
  const client = kubeClientAt('http://127.0.0.1:1');
  const parts = { client, namespace: 'gatehouse', log: silentLog };
  const keeper = new WebhookKeeper({
    ...parts,
    mayWrite: () => false,
    onTls: () => undefined,
    now: () => nowMs,
  });
  const mesh = new MeshOfCluster({ ...parts, trustDomain: 'cluster.local', clusterDomain: 'cluster.local' });
  assert.deepEqual(keeper.warnings(), [
    'the webhook server has no certificate: the Secret gatehouse/gatehouse-webhook-tls has not been read, or holds none that can be served',
  ]);
  assert.deepEqual(mesh.warnings(), [
    'pods cannot be injected: ConfigMap gatehouse/gatehouse-config has not been read yet',
  ]);
  client.close();
});
