import assert from 'node:assert/strict';
import test from 'node:test';
import { readIp } from '@gatehouse/core/ip-network';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { aService } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { OutboundPolicy, TrafficSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import { encodeTcpAddress } from '@gatehouse/wire/ip';
import { aServedPolicy } from '../../../testing/a-policy.ts';
import { type Followed, follow } from '../../../testing/followed-stream.ts';
import { type outboundKinds, watchedForOutbound } from '../../core/outbound/rows.ts';

const service = '/io.linkerd.proxy.outbound.OutboundPolicies';

type Target = TrafficSpec['target'];
const authority = (value: string): Target => ({ $case: 'authority', value });
const address = (text: string, port: number): Target => {
  const ip = readIp(text);
  if (ip === undefined) assert.fail(`${text} is not a valid address`);
  return { $case: 'addr', value: encodeTcpAddress(ip, port) };
};

const spec = (target: Target): Uint8Array =>
  TrafficSpec.encode({ sourceWorkload: '{"ns":"demo","pod":"frontend-0"}', target }).finish();

const watch = (client: GrpcClient, target: Target): Followed<OutboundPolicy> =>
  follow(client, `${service}/Watch`, {
    request: spec(target),
    decode: (bytes) => OutboundPolicy.decode(bytes),
  });

const kindOf = ({ protocol }: OutboundPolicy): string | undefined => protocol?.kind?.$case;

/** The one filter of an opaque policy. */
const filterOf = ({ protocol }: OutboundPolicy): string | undefined =>
  protocol?.kind?.$case === 'opaque'
    ? protocol.kind.value.routes[0]?.rules[0]?.filters[0]?.kind?.$case
    : undefined;

const backend = aService({ name: 'backend', clusterIps: ['10.32.0.9', 'fd00::9'] });
const withPort = (appProtocol: string | undefined, annotations = {}) =>
  aService({
    name: 'backend',
    clusterIps: ['10.32.0.9'],
    annotations,
    ports: [{ name: 'web', port: 80, targetPort: 8080, appProtocol }],
  });

test('a plain Service gets the default policy: detection, one route each way, a balancer on destination', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  followSource(new FakeSource(backend));
  const policy = await watch(client, address('10.32.0.9', 80)).message(0);
  const metadata = {
    kind: {
      $case: 'resource',
      value: { group: 'core', kind: 'Service', name: 'backend', namespace: 'demo', section: '', port: 80 },
    },
  };
  assert.deepEqual(policy.metadata, metadata);
  assert.ok(policy.protocol?.kind?.$case === 'detect');
  const { timeout, opaque, http1, http2 } = policy.protocol.kind.value;
  assert.deepEqual(timeout, { seconds: 10n, nanos: 0 });
  assert.deepEqual(http1, http2);
  const balancer = {
    metadata,
    kind: {
      $case: 'balancer',
      value: {
        discovery: { kind: { $case: 'dst', value: { path: 'backend.demo.svc.cluster.local:80' } } },
        load: {
          $case: 'peakEwma',
          value: { defaultRtt: { seconds: 0n, nanos: 30_000_000 }, decay: { seconds: 10n, nanos: 0 } },
        },
      },
    },
    queue: { capacity: 100, failfastTimeout: { seconds: 3n, nanos: 0 } },
  };
  assert.deepEqual(opaque?.routes, [
    {
      metadata: { kind: { $case: 'default', value: 'opaque' } },
      rules: [
        {
          filters: [],
          backends: {
            kind: { $case: 'firstAvailable', value: { backends: [{ backend: balancer, filters: [] }] } },
          },
        },
      ],
    },
  ]);
  assert.deepEqual(
    http1?.routes.map(({ metadata: { kind } = {}, rules }) => [kind, rules.length]),
    [[{ $case: 'default', value: 'http' }, 1]],
  );
  assert.deepEqual(http1?.routes[0]?.rules[0]?.backends, {
    kind: {
      $case: 'firstAvailable',
      value: { backends: [{ backend: balancer, filters: [], requestTimeout: undefined }] },
    },
  });
});

/** Who is asked for, and what comes: a protocol, or a code (`contract/linkerd-semantics.md` §2b). */
const questions: readonly (readonly [Target, string])[] = [
  [address('10.32.0.9', 80), 'detect'],
  [address('fd00::9', 80), 'detect'],
  [address('10.32.0.9', 81), 'opaque'],
  [authority('backend.demo.svc.cluster.local'), 'detect'],
  [authority('backend.demo.svc.cluster.local:80'), 'detect'],
  [authority('Backend.demo.svc.cluster.local.:80'), 'detect'],
  [authority('backend.demo.svc.cluster.local:9999'), 'opaque'],
  [authority('backend.demo:80'), 'not-found'],
  [authority('backend.demo.svc.cluster.local:http'), 'not-found'],
  [authority('backend.demo.svc.cluster.local:0'), 'not-found'],
  [authority('pod-0.backend.demo.svc.cluster.local:80'), 'not-found'],
  [authority('nobody.demo.svc.cluster.local:80'), 'not-found'],
  [authority('headless.demo.svc.cluster.local:80'), 'not-found'],
  [authority(''), 'not-found'],
  [address('10.32.0.4', 80), 'not-found'],
  [address('10.0.0.7', 80), 'not-found'],
  [address('8.8.8.8', 443), 'not-found'],
  [address('10.32.0.9', 0), 'invalid-argument'],
  [address('10.32.0.9', 70_000), 'invalid-argument'],
  [{ $case: 'addr', value: { ip: undefined, port: 80 } }, 'invalid-argument'],
  [undefined, 'invalid-argument'],
];

test('Services answer by address and by name; what is not a Service is NotFound, what is not a valid target InvalidArgument', async (t) => {
  assert.equal(questions.length, 21);
  const { client, follow: followSource } = await aServedPolicy(t);
  followSource(
    new FakeSource(
      backend,
      aService({ name: 'headless', clusterIps: [] }),
      // No name that a proxy could ask destination for; it would panic.
      aService({ name: 'No_Name', clusterIps: ['10.32.0.4'] }),
    ),
  );
  for (const [target, expected] of questions) {
    const about = JSON.stringify(target, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
    const request = spec(target);
    const stream = watch(client, target);
    const unary = client.unary(`${service}/Get`, request);
    if (expected.includes('-')) {
      assert.equal((await stream.ended)?.code, expected, about);
      await assert.rejects(unary, { code: expected }, about);
    } else {
      assert.equal(kindOf(await stream.message(0)), expected, about);
      assert.equal(kindOf(OutboundPolicy.decode(await unary)), expected, about);
    }
    stream.cancel();
  }
});

test('a port that the Service does not declare is forbidden, until it is declared', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(withPort(undefined));
  followSource(source);
  const stream = watch(client, address('10.32.0.9', 8443));
  assert.equal(filterOf(await stream.message(0)), 'forbidden');
  const ports = [{ name: 'tls', port: 8443, targetPort: 8443, appProtocol: 'linkerd.io/tcp' }];
  source.put(aService({ name: 'backend', clusterIps: ['10.32.0.9'], ports }));
  assert.equal(filterOf(await stream.message(1)), undefined);
});

test('appProtocol decides the protocol, the opaque-ports annotation only where there is none', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(withPort(undefined));
  followSource(source);
  const stream = watch(client, authority('backend.demo.svc.cluster.local:80'));
  const listed = { 'config.linkerd.io/opaque-ports': '80' };
  const steps = [
    [withPort(undefined), 'detect'],
    [withPort(undefined, listed), 'opaque'],
    [withPort('http', listed), 'http1'],
    [withPort('kubernetes.io/h2c'), 'http2'],
    [withPort('linkerd.io/tcp'), 'opaque'],
    [withPort(undefined, { 'config.linkerd.io/opaque-ports': '' }), 'detect'],
    [withPort('who knows'), 'opaque'],
  ] as const;
  assert.equal(steps.length, 7);
  for (const [at, [object, expected]] of steps.entries()) {
    source.put(object);
    assert.equal(kindOf(await stream.message(at)), expected, `step ${at}`);
  }
});

test('ports of the default list are opaque without an annotation', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const ports = [{ name: 'db', port: 3306, targetPort: 3306, appProtocol: undefined }];
  followSource(new FakeSource(aService({ name: 'db', clusterIps: ['10.32.0.3'], ports })));
  assert.equal(kindOf(await watch(client, address('10.32.0.3', 3306)).message(0)), 'opaque');
});

test('when a Service goes its streams end with OK, so that the proxy asks again and hears who answers now', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(backend);
  followSource(source);
  const byAddress = watch(client, address('10.32.0.9', 80));
  const byName = watch(client, authority('backend.demo.svc.cluster.local:80'));
  await Promise.all([byAddress.message(0), byName.message(0)]);
  source.remove(backend);
  assert.equal(await byAddress.ended, undefined);
  assert.equal(await byName.ended, undefined);
  assert.equal((await watch(client, address('10.32.0.9', 80)).ended)?.code, 'not-found');
  source.put(aService({ name: 'heir', clusterIps: ['10.32.0.9'] }));
  const inherited = watch(client, address('10.32.0.9', 80));
  const { metadata } = await inherited.message(0);
  assert.ok(metadata?.kind?.$case === 'resource');
  assert.equal(metadata.kind.value.name, 'heir');
});

/** What a client of 10.32.0.9:80 is told of an object, and of a changed form of it. */
interface Situation<K extends Kind> {
  readonly object: KubeObject<K>;
  readonly told: string;
  readonly changed: KubeObject<K>;
  readonly toldThen: string;
}

/** A kind of the table without a row here does not compile. None can be unreadable: a Service is read field by field. */
const situations: { readonly [K in keyof typeof outboundKinds]: Situation<K> } = {
  Service: { object: backend, told: 'detect', changed: withPort('http'), toldThen: 'http1' },
};

for (const kind of watchedForOutbound) {
  test(`${kind}: applied it is answered for, changed it is sent; deleted or relisted away streams end`, async (t) => {
    const { object, told, changed, toldThen } = situations[kind];
    const { client, follow: followSource } = await aServedPolicy(t);
    const source = new FakeSource();
    followSource(source);
    const ask = () => watch(client, address('10.32.0.9', 80));
    for (const end of [() => source.remove(object), () => source.relist(kind)]) {
      assert.equal((await ask().ended)?.code, 'not-found');
      source.put(object);
      const stream = ask();
      assert.equal(kindOf(await stream.message(0)), told);
      source.put(changed);
      assert.equal(kindOf(await stream.message(1)), toldThen);
      end();
      assert.equal(await stream.ended, undefined);
    }
    assert.equal((await ask().ended)?.code, 'not-found');
  });
}

test('a Service that loses its address to another lets go of the streams by address, not of those by name', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(backend);
  followSource(source);
  const byAddress = watch(client, address('10.32.0.9', 80));
  const byName = watch(client, authority('backend.demo.svc.cluster.local:80'));
  await Promise.all([byAddress.message(0), byName.message(0)]);
  source.put(aService({ name: 'backend', clusterIps: ['10.32.0.10'] }));
  assert.equal(await byAddress.ended, undefined);
  source.put(withPort('http'));
  assert.equal(kindOf(await byName.message(1)), 'http1');
  assert.equal(byName.messages.length, 2);
});

test('before the first full list nobody is told that there is no such Service', async (t) => {
  const { client } = await aServedPolicy(t);
  assert.equal((await watch(client, address('10.32.0.9', 80)).ended)?.code, 'unavailable');
  assert.equal((await watch(client, authority('nowhere:80')).ended)?.code, 'unavailable');
});

test('a change of a Service that clients do not see sends nothing', async (t) => {
  const { client, follow: followSource } = await aServedPolicy(t);
  const source = new FakeSource(backend);
  followSource(source);
  const stream = watch(client, address('10.32.0.9', 80));
  await stream.message(0);
  source.put(aService({ name: 'backend', clusterIps: ['10.32.0.9'], selector: { app: 'new' } }));
  source.relist('Service', aService({ name: 'backend', clusterIps: ['10.32.0.9'] }));
  source.put(withPort('http'));
  assert.equal(kindOf(await stream.message(1)), 'http1');
  assert.equal(stream.messages.length, 2);
});
