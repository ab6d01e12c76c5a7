import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { aKey } from '@gatehouse/dev/certificates';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { freePort } from '@gatehouse/testing/free-port';
import { eventually } from '@gatehouse/testing/grpc';
import { type ServerProcess, startServerProcess } from '@gatehouse/testing/server-process';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { ClusterStorySource } from './cluster-source.ts';
import { KeptStream } from './kept-stream.ts';

const clientsOfEach = 20;

/** A replica is ended like this, by a crash and by a rollout. */
type End = 'SIGKILL' | 'SIGTERM';

interface Replica {
  readonly grpc: number;
  start(): Promise<void>;
  /** Out of DNS before SIGTERM, as a pod that is deleted; a crash is found out by those who are connected. */
  end(how: End): Promise<void>;
}

/** Two replicas of each service, each a process of its own, on one API server. */
const twoOfEach = async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  const cluster = await openFakeCluster();
  t.after(() => cluster[Symbol.asyncDispose]());
  const source = await ClusterStorySource.open(cluster, stateDirAt(join(folder, 'state')));
  await source.apply('demo.yaml');
  const inDns = new Set<number>();

  const aReplica = async (service: ServiceName, index: number): Promise<Replica> => {
    const [grpc, admin] = [await freePort(), await freePort()];
    let running: ServerProcess | undefined;
    t.after(() => running?.kill());
    const main = fileURLToPath(new URL(`../../services/${service}/src/main.ts`, import.meta.url));
    return {
      grpc,
      start: async () => {
        const started = startServerProcess(execPath, {
          args: [main],
          log: join(folder, `${service}-${index}.log`),
          env: {
            ...source.settingsOf(service),
            GATEHOUSE_GRPC_ADDR: `127.0.0.1:${grpc}`,
            GATEHOUSE_ADMIN_ADDR: `127.0.0.1:${admin}`,
            GATEHOUSE_POD_NAME: `${service}-${index}`,
            ...(service === 'policy' ? { GATEHOUSE_WEBHOOK_ADDR: '' } : {}),
          },
        });
        running = started;
        const isReady = async (): Promise<boolean> => {
          if (started.ended()) assert.fail(await started.lastWords('ended'));
          return (await fetch(`http://127.0.0.1:${admin}/ready`).catch(() => undefined))?.ok === true;
        };
        await eventually(isReady);
        inDns.add(grpc);
      },
      end: async (how) => {
        if (how === 'SIGTERM') inDns.delete(grpc);
        await (how === 'SIGTERM' ? running?.stop() : running?.kill());
      },
    };
  };
  const replicas = new Map<ServiceName, readonly [Replica, Replica]>();
  for (const service of serviceNames)
    replicas.set(service, [await aReplica(service, 0), await aReplica(service, 1)]);
  await Promise.all([...replicas.values()].flat().map((replica) => replica.start()));
  const of = (service: ServiceName): readonly [Replica, Replica] => {
    const both = replicas.get(service);
    assert.ok(both);
    return both;
  };
  const portsOf = (service: ServiceName) => (): readonly number[] =>
    of(service)
      .map(({ grpc }) => grpc)
      .filter((port) => inDns.has(port));
  return { source, of, portsOf };
};

const keep = (question: ConstructorParameters<typeof KeptStream>[0]): readonly KeptStream[] =>
  Array.from({ length: clientsOfEach }, (_, turn) => new KeptStream(question, turn));

test('with two replicas that end in turn no stream waits for more than one of them, and no answer is another', async (t) => {
  const { source, of, portsOf } = await twoOfEach(t);
  const streams = {
    policy: keep({
      path: '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
      request: PortSpec.encode({ workload: '{"ns":"demo","pod":"backend-0"}', port: 8080 }).finish(),
      ports: portsOf('policy'),
    }),
    destination: keep({
      path: '/io.linkerd.proxy.destination.Destination/Get',
      request: GetDestination.encode({
        scheme: '',
        path: 'backend.demo.svc.cluster.local:8080',
        contextToken: '',
      }).finish(),
      ports: portsOf('destination'),
    }),
  };
  const all = Object.values(streams).flat();
  t.after(() => Promise.all(all.map((stream) => stream.close())));
  const areOpen = (): Promise<void> => eventually(() => all.every(({ isOpen }) => isOpen));
  const answersOf = (service: keyof typeof streams): readonly string[] => [
    ...new Set(streams[service].map(({ answers }) => answers.join(' then '))),
  ];
  const lost = (): number => all.reduce((sum, stream) => sum + stream.lost, 0);

  /** What a proxy does until it has a certificate: where one replica does not answer, it asks another. */
  const roots = await readFile(source.trustAnchors, 'utf8');
  const token = Buffer.from(await source.tokenOf({ namespace: 'demo', name: 'backend-0' }));
  const certified = async (): Promise<number> => {
    for (const [failures, port] of portsOf('identity')().entries()) {
      const leaf = await certify({
        server: { address: { host: '127.0.0.1', port }, security: 'plaintext' },
        trustAnchors: roots,
        name: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
        key: aKey(),
        token,
        signal: AbortSignal.timeout(20_000),
      }).catch(() => undefined);
      if (leaf !== undefined) return failures;
    }
    return assert.fail('no replica of identity answers');
  };

  await areOpen();
  const before = { policy: answersOf('policy'), destination: answersOf('destination') };
  assert.deepEqual([before.policy.length, before.destination.length], [1, 1]);

  for (const [index, how] of [
    [0, 'SIGKILL'],
    [1, 'SIGTERM'],
  ] as const) {
    const ended = serviceNames.map((service) => of(service)[index]);
    const ports = new Set(ended.map(({ grpc }) => grpc));
    const concerned = all.filter(({ port }) => ports.has(port)).length;
    const lostBefore = lost();
    await Promise.all(ended.map((replica) => replica.end(how)));
    await eventually(() => lost() - lostBefore >= concerned);
    await areOpen();
    assert.ok(concerned > 0);
    // The clients of the other replica noticed nothing.
    assert.equal(lost() - lostBefore, concerned);
    assert.ok((await certified()) <= 1);
    if (how === 'SIGTERM') break;
    // What changes while one is away reaches all, and the one that comes back never tells what was before.
    await source.apply('frontend-can-talk-to-backend.yaml');
    await eventually(() => streams.policy.every(({ answers }) => answers.length === 2));
    await Promise.all(ended.map((replica) => replica.start()));
    assert.ok((await certified()) <= 1);
  }

  await areOpen();
  assert.deepEqual(answersOf('destination'), before.destination);
  const [told, ...others] = answersOf('policy');
  assert.deepEqual(others, []);
  assert.equal(told?.split(' then ').length, 2);
  assert.equal(told?.startsWith(`${before.policy[0]} then `), true);
  // From a loss on, the replica that is gone is asked at most once more before the other one answers.
  assert.deepEqual(
    all.filter(({ mostFailures }) => mostFailures > 1),
    [],
  );
});
