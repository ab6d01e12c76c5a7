import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rest, servicesOnCase } from './services-on-folder.ts';

// Folders that operators of this and similar systems stumbled over; what each is about stands in its manifests.

/** The addresses of the endpoints that destination gives for a Service's port. */
const endpointsOf = async (destination: Rest, service: string, port: number): Promise<readonly string[]> => {
  const { items } = await destination(`/v1/services/${service}/endpoints?port=${port}`);
  return items.map(({ ip }: { readonly ip: string }) => ip);
};

test('a pod whose proxy listens on IPv4 alone is given at its IPv4 address, however it is asked for', async (t) => {
  const { destination } = await servicesOnCase(t, 'ipv4-proxies-dual-stack');
  assert.deepEqual(await endpointsOf(destination, 'demo/web', 8080), ['10.4.0.21']);
  for (const authority of ['10.4.0.21:8080', '[fd00:4::21]:8080']) {
    const { profile } = await destination(`/v1/resolve?authority=${encodeURIComponent(authority)}`);
    assert.equal(profile.endpoint.ip, '10.4.0.21', authority);
  }
});

test('an HTTPS probe, which nothing can keep open, is named', async (t) => {
  const { policy } = await servicesOnCase(t, 'probe-https');
  const { conditions } = (await policy('/v1/workloads/demo/ledger/ports/9443')).row;
  assert.deepEqual(
    conditions.map(({ reason, message }: { readonly reason: string; readonly message: string }) => [
      reason,
      /GET \/\w+ on port \d+/.exec(message)?.[0],
    ]),
    [
      ['ProbeNotOpened', 'GET /alive on port 9443'],
      ['ProbeNotOpened', 'GET /ready on port 9443'],
    ],
  );
});

test('an anchor may be used more than a hundred times: nothing is closed for it', async (t) => {
  const { policy, destination } = await servicesOnCase(t, 'yaml-aliases');
  assert.equal((await destination('/v1/services?namespace=demo&limit=500')).items.length, 101);
  for (const pod of ['demo/web', 'elsewhere/other']) {
    const { governedBy } = (await policy(`/v1/workloads/${pod}/ports/8080`)).row;
    assert.deepEqual([governedBy.kind, governedBy.base], ['default-policy', 'all-authenticated'], pod);
  }
});

test('a member of a StatefulSet is chosen by its name, and its policy governs it', async (t) => {
  const { policy, destination } = await servicesOnCase(t, 'statefulset-pod-name');
  const governs = async (pod: string): Promise<string> =>
    (await policy(`/v1/workloads/demo/${pod}/ports/25672`)).row.governedBy.kind;
  assert.equal(await governs('queue-5'), 'network-authentication-policies');
  assert.equal(await governs('queue-6'), 'default-policy');
  assert.equal((await endpointsOf(destination, 'demo/queue-5', 5671)).length, 1);
});

test("a namespace's opaque ports, and the default list, hold for clients and inbound alike", async (t) => {
  const { policy, destination } = await servicesOnCase(t, 'opaque-ports-inherited');
  const ports = [
    ['shop', 'store', 9042],
    ['plain', 'sql', 3306],
  ] as const;
  for (const [namespace, name, port] of ports) {
    const { protocol } = (await policy(`/v1/workloads/${namespace}/${name}/ports/${port}`)).row;
    assert.equal(protocol, 'opaque', `${name} inbound`);
    const { items } = await destination(`/v1/services/${namespace}/${name}/endpoints?port=${port}`);
    assert.deepEqual(
      items.map((item: { readonly protocol: string }) => item.protocol),
      ['opaque'],
    );
    const authority = `${name}.${namespace}.svc.cluster.local:${port}`;
    const { profile } = await destination(`/v1/resolve?authority=${authority}`);
    assert.equal(profile.opaque, true, `${name}'s profile`);
  }
});

test("a node agent with `hostNetwork: yes` is granted nothing by its node's address", async (t) => {
  const { policy, destination } = await servicesOnCase(t, 'yaml-1.1-booleans');
  assert.deepEqual((await policy('/v1/workloads/demo/api/ports/8080')).row.authorizations, []);
  // `publishNotReadyAddresses: on`
  assert.deepEqual(await endpointsOf(destination, 'demo/api', 8080), ['10.4.0.7']);
});

test('an empty namespace is `default`: pods are there, policies govern there, and a rejected one closes there', async (t) => {
  const { policy } = await servicesOnCase(t, 'empty-namespace');
  const portOf = async (pod: string, port: number) =>
    (await policy(`/v1/workloads/default/${pod}/ports/${port}`)).row;
  assert.equal((await portOf('web', 8080)).governedBy.base, 'all-authenticated');
  const granted = await portOf('db', 5432);
  assert.deepEqual(
    [
      granted.governedBy.base,
      granted.authorizations.map(({ identities }: { identities: unknown }) => identities),
    ],
    ['deny', [['default.default.serviceaccount.identity.gatehouse.cluster.local']]],
  );
  const closed = await portOf('db', 5433);
  assert.deepEqual([closed.governedBy.base, closed.authorizations], ['deny', []]);
});
