import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  identityForm,
  identityOf,
  identitySuffix,
  isDnsName,
  isSameIdentity,
  type Mesh,
  namespaceOf,
  parseIdentity,
  printBriefly,
  printIdentity,
} from './workload-identity.ts';

const mesh: Mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
const suffix = 'serviceaccount.identity.gatehouse.cluster.local';

test('an identity prints as the name that Linkerd gives it', () => {
  assert.equal(printIdentity(identityOf(mesh, 'demo', 'default')), `default.demo.${suffix}`);
  assert.equal(identitySuffix(mesh), suffix);
  assert.equal(identitySuffix(mesh, 'demo'), `demo.${suffix}`);
  assert.equal(
    identityForm,
    '{serviceaccount}.{namespace}.serviceaccount.identity.{control-plane namespace}.{trust domain}',
  );
});

test('a name of a workload is read, of whatever mesh', () => {
  const cases: readonly (readonly [string, Mesh, string, string])[] = [
    [`default.demo.${suffix}`, mesh, 'demo', 'default'],
    // A ServiceAccount's name may have dots, and look like a suffix.
    [`build.bot.v2.demo.${suffix}`, mesh, 'demo', 'build.bot.v2'],
    [`x.y.${suffix}.demo.${suffix}`, mesh, 'demo', `x.y.${suffix}`],
    [
      'web.demo.serviceaccount.identity.linkerd.mesh.example.org',
      { controlPlaneNamespace: 'linkerd', trustDomain: 'mesh.example.org' },
      'demo',
      'web',
    ],
    [
      'web.demo.serviceaccount.identity.linkerd.local',
      { controlPlaneNamespace: 'linkerd', trustDomain: 'local' },
      'demo',
      'web',
    ],
  ];
  assert.equal(cases.length, 5);
  for (const [name, of, namespace, account] of cases) {
    assert.deepEqual(parseIdentity(name), identityOf(of, namespace, account));
    assert.equal(namespaceOf(parseIdentity(name)), namespace);
    assert.equal(printBriefly(parseIdentity(name)), `${account}.${namespace}`);
  }
});

test('any other name is kept as it is, and has no namespace', () => {
  const others = [
    `default.demo.${suffix}.`,
    `default.demo.user.identity.gatehouse.cluster.local`,
    'default.demo.serviceaccount.identity.gatehouse',
    'web.demo.svc.cluster.local',
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
  assert.equal(others.length, 17);
  for (const name of others) {
    assert.deepEqual(parseIdentity(name), { kind: 'other', name });
    assert.equal(namespaceOf(parseIdentity(name)), undefined);
    assert.equal(printIdentity(parseIdentity(name)), name);
    assert.equal(printBriefly(parseIdentity(name)), name);
  }
  assert.equal(namespaceOf(undefined), undefined);
});

test('two identities are the same when their names are', () => {
  const web = identityOf(mesh, 'demo', 'web');
  assert.equal(isSameIdentity(web, parseIdentity(`web.demo.${suffix}`)), true);
  assert.equal(isSameIdentity(web, identityOf(mesh, 'demo', 'api')), false);
  assert.equal(isSameIdentity(web, undefined), false);
  assert.equal(isSameIdentity(undefined, undefined), true);
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
        const identity = identityOf({ controlPlaneNamespace, trustDomain }, namespace, serviceAccount);
        assert.deepEqual(parseIdentity(printIdentity(identity)), identity);
      },
    ),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), dotted), (start) => {
      const name = `${start}.${suffix}`;
      assert.equal(printIdentity(parseIdentity(name)), name);
    }),
  );
});
