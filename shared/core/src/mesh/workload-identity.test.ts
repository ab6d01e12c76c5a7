import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  identityOf,
  isDnsName,
  type Mesh,
  namespaceIn,
  parseIdentity,
  printIdentity,
} from './workload-identity.ts';

const mesh: Mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
const suffix = 'serviceaccount.identity.gatehouse.cluster.local';

test('an identity prints as the name that Linkerd gives it', () => {
  assert.equal(printIdentity(identityOf(mesh, 'demo', 'default')), `default.demo.${suffix}`);
});

test('a ServiceAccount name may hold dots, the namespace is the last label before the suffix', () => {
  const outcome = parseIdentity(`build.bot.v2.demo.${suffix}`, mesh);
  assert.deepEqual(outcome, { ok: true, value: identityOf(mesh, 'demo', 'build.bot.v2') });
});

test('an account named like the suffix itself is read from the right', () => {
  const odd = identityOf(mesh, 'demo', `x.y.${suffix}`);
  assert.deepEqual(parseIdentity(printIdentity(odd), mesh), { ok: true, value: odd });
});

test('names of another mesh, of no mesh, or of nobody are refused', () => {
  const wrong = [
    `default.demo.serviceaccount.identity.linkerd.cluster.local`,
    `default.demo.serviceaccount.identity.gatehouse.example.org`,
    `default.demo.serviceaccount.identity.gatehouse.cluster.local.`,
    `default.demo.serviceaccount.identity.gatehouse.cluster.local.evil.example`,
    `default.demo.user.identity.gatehouse.cluster.local`,
    `demo.${suffix}`,
    `.demo.${suffix}`,
    suffix,
    `.${suffix}`,
    '',
    'spiffe://cluster.local/ns/demo/sa/default',
    `Default.demo.${suffix}`,
    `default.demo .${suffix}`,
    `default..demo.${suffix}`,
    `*.demo.${suffix}`,
    `default.-demo.${suffix}`,
    `${'a'.repeat(64)}.demo.${suffix}`,
    `${'a.'.repeat(120)}demo.${suffix}`,
  ];
  for (const text of wrong) assert.ok(!parseIdentity(text, mesh).ok, text);
  assert.equal(wrong.length, 18);
});

test('lengths at the limit are names, one more byte is not (RFC 1035 §2.3.4)', () => {
  assert.ok(isDnsName('a'.repeat(63)));
  assert.ok(!isDnsName('a'.repeat(64)));
  const long = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
  assert.equal(long.length, 253);
  assert.ok(isDnsName(long));
  assert.ok(!isDnsName(`${long}a`));
});

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const dotted = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));

test('what is printed is read back, and what is read prints the same', () => {
  fc.assert(
    fc.property(
      dotted,
      label,
      label,
      dotted,
      (serviceAccount, namespace, controlPlaneNamespace, trustDomain) => {
        const here: Mesh = { controlPlaneNamespace, trustDomain };
        const identity = identityOf(here, namespace, serviceAccount);
        const text = printIdentity(identity);
        assert.deepEqual(parseIdentity(text, here), { ok: true, value: identity });
      },
    ),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), dotted), (start) => {
      const text = `${start}.${suffix}`;
      const outcome = parseIdentity(text, mesh);
      if (outcome.ok) assert.equal(printIdentity(outcome.value), text);
    }),
  );
});

test('the namespace in an identity of whatever mesh, also where the ServiceAccount has dots; none in other names', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['web.demo.serviceaccount.identity.gatehouse.cluster.local', 'demo'],
    ['web.v1.demo.serviceaccount.identity.linkerd.example.org', 'demo'],
    ['a.serviceaccount.identity.b.demo.serviceaccount.identity.gatehouse.cluster.local', 'demo'],
    ['demo.serviceaccount.identity.gatehouse.cluster.local', undefined],
    ['.demo.serviceaccount.identity.gatehouse.cluster.local', undefined],
    ['web.demo.svc.cluster.local', undefined],
    ['', undefined],
  ];
  assert.equal(table.length, 7);
  for (const [name, namespace] of table) assert.equal(namespaceIn(name), namespace, name);
});
