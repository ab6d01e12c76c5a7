import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf, inject, proxyOf } from '@gatehouse/testing/injected-pod';

test('the proxy finds our services by absolute names, each under its own identity', () => {
  const env = environmentOf(inject({}));
  const names = Object.fromEntries(Object.entries(env).filter(([name]) => /_SVC_(?:ADDR|NAME)$/.test(name)));
  assert.deepEqual(names, {
    LINKERD2_PROXY_IDENTITY_SVC_ADDR: 'gatehouse-identity-headless.gatehouse.svc.cluster.local.:8080',
    LINKERD2_PROXY_IDENTITY_SVC_NAME:
      'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
    LINKERD2_PROXY_DESTINATION_SVC_ADDR: 'gatehouse-dst-headless.gatehouse.svc.cluster.local.:8086',
    LINKERD2_PROXY_DESTINATION_SVC_NAME:
      'gatehouse-destination.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
    LINKERD2_PROXY_POLICY_SVC_ADDR: 'gatehouse-policy.gatehouse.svc.cluster.local.:8090',
    LINKERD2_PROXY_POLICY_SVC_NAME:
      'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
  });
  assert.equal(
    env.LINKERD2_PROXY_IDENTITY_LOCAL_NAME,
    '$(_pod_sa).$(_pod_ns).serviceaccount.identity.gatehouse.cluster.local',
  );
});

test('a variable stands before those that refer to it, and none is written twice', () => {
  const env = proxyOf(inject({})).env ?? [];
  const names = env.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const [at, { value = '' }] of env.entries())
    for (const [, referred = ''] of value.matchAll(/\$\((\w+)\)/g))
      assert.ok(names.indexOf(referred) >= 0 && names.indexOf(referred) < at, referred);
});

test('in ingress mode the proxy routes by the name that a request asks for', () => {
  assert.equal(
    environmentOf(inject({ annotations: { 'linkerd.io/inject': 'ingress' } })).LINKERD2_PROXY_INGRESS_MODE,
    'true',
  );
  assert.equal(environmentOf(inject({})).LINKERD2_PROXY_INGRESS_MODE, undefined);
});
