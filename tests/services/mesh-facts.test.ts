import assert from 'node:assert/strict';
import test from 'node:test';
import { servicesOnCase } from './services-on-folder.ts';

const identity = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';

test('a port that the proxy does not see is plaintext to clients and named as not enforced; a name skips no port', async (t) => {
  const { destination, policy } = await servicesOnCase(t, 'skip-inbound-ports');
  // By the Service's port: the pod's port, and whether it bypasses the proxy.
  const ports = [
    [443, 8443, true],
    [9005, 9005, true],
    [9100, 9100, false],
    [80, 80, false],
  ] as const;
  for (const [port, target, bypasses] of ports) {
    const { items } = await destination(`/v1/services/demo/hook/endpoints?port=${port}`);
    assert.deepEqual(
      items.map((item: { port: number; identity: string | null }) => [item.port, item.identity]),
      [[target, bypasses ? null : identity]],
    );
    const { conditions } = (await policy(`/v1/workloads/demo/hook/ports/${target}`)).row;
    const reasons = conditions.map(({ reason }: { reason: string }) => reason);
    assert.equal(reasons.includes('Unenforced'), bypasses, `${target}: ${reasons}`);
    assert.equal(reasons.includes('UnreadablePorts'), true, `${target}: ${reasons}`);
  }
  const { conditions } = (await policy('/v1/workloads/demo/hook/ports/9100')).row;
  assert.deepEqual(conditions, [
    {
      reason: 'UnreadablePorts',
      about: null,
      message:
        "The pod's annotation config.linkerd.io/skip-inbound-ports lists `metrics`: not a port or a range of ports, so nothing is skipped by it. Use numbers, such as 8443,9000-9010.",
    },
  ]);
});

test('an address belongs to the pod that runs, not to a job that has ended since, to every service', async (t) => {
  const { destination, policy } = await servicesOnCase(t, 'ip-of-a-finished-job');
  const { profile } = await destination('/v1/resolve?authority=10.4.0.9:8080');
  assert.deepEqual([profile.kind, profile.endpoint.labels.pod], ['endpoint', 'web-1']);
  const { authorizations, conditions } = (await policy('/v1/workloads/demo/api-1/ports/8080')).row;
  const admitted = authorizations.flatMap(
    ({ networks, identities }: { networks: { cidr: string }[]; identities: string[] }) =>
      networks.map(({ cidr }) => [cidr, ...identities]),
  );
  assert.deepEqual(admitted, [['10.4.0.9/32', identity]]);
  assert.deepEqual(conditions, []);
});

test("a proxy's admin port is the one that it has: probes are open there, and clients send no transport header", async (t) => {
  const { destination, policy } = await servicesOnCase(t, 'proxy-on-other-ports');
  const ports = [
    [5191, true],
    [4191, false],
    [8080, false],
  ] as const;
  for (const [port, isAdmin] of ports) {
    const { items } = await destination(`/v1/services/demo/web/endpoints?port=${port}`);
    assert.deepEqual(
      items.map(({ inboundPort }: { inboundPort: number | null }) => inboundPort),
      [isAdmin ? null : 4143],
    );
    const { governedBy, routes } = (await policy(`/v1/workloads/demo/web-0/ports/${port}`)).row;
    const opened = routes.flatMap(({ matches }: { matches: readonly { text: string }[] }) =>
      matches.map(({ text }) => text),
    );
    // The policy is for every port but the proxy's own.
    assert.equal(governedBy.objects.length, isAdmin ? 0 : 1, `${port}`);
    assert.equal(
      opened.filter((route: string) => /\/(live|ready)$/.test(route)).length,
      isAdmin ? 2 : 0,
      `${port}`,
    );
  }
});

test('an authority means the same to both services, also an address that two Services have', async (t) => {
  const { destination, policy } = await servicesOnCase(t, 'two-services-at-one-address');
  const name = 'web.demo.svc.cluster.local';
  for (const authority of [
    '10.32.0.7:80',
    '10.32.0.7',
    `${name}:80`,
    name,
    `Web.demo.SVC.cluster.local.:80`,
  ]) {
    const { target, profile } = await destination(`/v1/resolve?authority=${authority}`);
    const { service, backends } = await policy(`/v1/outbound?to=${authority}`);
    assert.deepEqual([profile.kind, profile.name], ['service', name], authority);
    assert.deepEqual(service, { namespace: 'demo', name: 'web', port: 80 }, authority);
    assert.deepEqual(backends, [`${name}:80`], authority);
    // What one service prints, the other reads.
    assert.deepEqual((await policy(`/v1/outbound?to=${target}`)).service, service, authority);
  }
});
