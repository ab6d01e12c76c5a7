import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { readProxyConfig } from './env.ts';

const good: Record<string, string> = {
  LINKERD2_PROXY_IDENTITY_SVC_ADDR: '127.0.0.1:8080',
  LINKERD2_PROXY_DESTINATION_SVC_ADDR: 'localhost.:8086',
  LINKERD2_PROXY_POLICY_SVC_ADDR: 'gatehouse-policy.gatehouse.svc.cluster.local.:8090',
  LINKERD2_PROXY_POLICY_SVC_NAME:
    'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
  LINKERD2_PROXY_IDENTITY_DIR: '/tmp/id',
  LINKERD2_PROXY_IDENTITY_TOKEN_FILE: '/tmp/token',
  LINKERD2_PROXY_IDENTITY_LOCAL_NAME: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
  LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: '-----BEGIN CERTIFICATE-----\n',
  LINKERD2_PROXY_POLICY_WORKLOAD: '{"ns":"demo","pod":"backend-0"}',
};

test('defaults are those of linkerd2-proxy', () => {
  const config = readProxyConfig(good);
  assert.equal(config.minRefreshMs, 10_000);
  assert.equal(config.maxRefreshMs, 86_400_000);
  assert.deepEqual(config.defaultPolicy.meta, { kind: 'default', name: 'all-unauthenticated' });
  assert.deepEqual(config.warnings.length, 1);
  assert.deepEqual(config.streamLimits, {});
  assert.deepEqual(config.admin, { host: '127.0.0.1', port: 4191 });
  assert.equal(config.clusterDomain, 'cluster.local');
  assert.equal(config.identity.name, undefined);
  assert.deepEqual(config.inbound, []);
});

test('the stand-ins for redirection are read, and the pod address with them', () => {
  const config = readProxyConfig({
    ...good,
    GATEHOUSE_DEV_INBOUND: '127.64.1.2:8080=127.0.0.1:4000,127.64.1.2:9000=127.0.0.1:4001',
    GATEHOUSE_DEV_HTTP_PROXY: '127.0.0.1:4140',
    LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT: '3s',
    LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT: '',
    LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES: 'other.,svc.mesh.example.',
  });
  assert.deepEqual(
    config.inbound.map(({ listen, app }) => [listen.port, app.port]),
    [
      [8080, 4000],
      [9000, 4001],
    ],
  );
  assert.equal(config.podIp, '127.64.1.2');
  assert.deepEqual(config.httpProxy, { host: '127.0.0.1', port: 4140 });
  assert.deepEqual(config.streamLimits, { initialMs: 3_000 });
  assert.equal(config.clusterDomain, 'mesh.example');
});

test('whatever is wrong is named by its variable: thirteen values', () => {
  const cases: [string, string | undefined][] = [
    ['LINKERD2_PROXY_IDENTITY_SVC_ADDR', 'nowhere'],
    ['LINKERD2_PROXY_POLICY_SVC_NAME', undefined],
    ['LINKERD2_PROXY_IDENTITY_DIR', ''],
    ['LINKERD2_PROXY_IDENTITY_LOCAL_NAME', 'Not A Name'],
    ['LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS', '/etc/anchors.pem'],
    ['LINKERD2_PROXY_IDENTITY_MIN_REFRESH', '10'],
    ['LINKERD2_PROXY_POLICY_WORKLOAD', undefined],
    ['LINKERD2_PROXY_INBOUND_DEFAULT_POLICY', 'all-tls-unauthenticated'],
    ['LINKERD2_PROXY_INBOUND_DEFAULT_POLICY', 'cluster-authenticated'],
    ['LINKERD2_PROXY_INBOUND_IPS', 'localhost'],
    ['GATEHOUSE_DEV_INBOUND', '127.64.1.2:8080'],
    ['GATEHOUSE_DEV_INBOUND', '127.64.1.2:80=127.0.0.1:1,127.64.1.2:80=127.0.0.1:2'],
    ['GATEHOUSE_DEV_INBOUND', '127.64.1.2:80=127.0.0.1:1,127.64.1.3:81=127.0.0.1:2'],
  ];
  assert.equal(cases.length, 13);
  for (const [variable, value] of cases) {
    const named = (error: unknown): boolean =>
      error instanceof GatehouseError &&
      error.code === 'invalid-argument' &&
      error.message.includes(variable);
    assert.throws(() => readProxyConfig({ ...good, [variable]: value }), named, `${variable}=${value}`);
  }
});

test('stream limits must be in order', () => {
  const limits = {
    LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT: '5m',
    LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT: '3s',
  };
  assert.throws(() => readProxyConfig({ ...good, ...limits }), /CONTROL_STREAM/);
});

test('default policies admit whom their name says: six of them', () => {
  const networks = { LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS: '10.0.0.0/8' };
  const cases = [
    ['deny', 'opaque', undefined, 0],
    ['all-unauthenticated', 'detect', 'unauthenticated', 2],
    ['all-authenticated', 'detect', 'identities', 2],
    ['audit', 'detect', 'unauthenticated', 2],
    ['cluster-unauthenticated', 'detect', 'unauthenticated', 1],
    ['cluster-authenticated', 'detect', 'identities', 1],
  ] as const;
  assert.equal(cases.length, 6);
  for (const [name, protocol, authentication, count] of cases) {
    const env = { ...good, ...networks, LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: name };
    const { defaultPolicy } = readProxyConfig(env);
    const [first] = defaultPolicy.authorizations;
    assert.deepEqual(
      [defaultPolicy.protocol.kind, first?.authentication.kind, first?.networks.length ?? 0],
      [protocol, authentication, count],
      name,
    );
    assert.equal(defaultPolicy.admitsLocalhost, false, name);
  }
});
