import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { createLog, type Log } from '@gatehouse/platform/log/log';
import { headlessServiceOf } from '@gatehouse/platform/replicas/open-replicas';
import type { RunningService, ServiceName } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { eventually } from '@gatehouse/testing/grpc';
import { sliceOf } from '@gatehouse/testing/replica-set';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { ClusterStorySource } from './cluster-source.ts';

interface Line {
  readonly level: string;
  readonly msg: string;
}

type Start = (env: NodeJS.ProcessEnv, log: Log) => Promise<RunningService>;

const starters: Readonly<Record<ServiceName, Start>> = {
  identity: (env, log) => startIdentity(readIdentityConfig(env), { log }),
  destination: (env, log) => startDestination(readDestinationConfig(env), { log }),
  policy: (env, log) => startPolicy(readPolicyConfig(env), { log }),
};

/** A control plane of several replicas on an API server of the test's, which also plays the controller of EndpointSlices. */
const aControlPlane = async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  const cluster = await openFakeCluster();
  t.after(() => cluster[Symbol.asyncDispose]());
  const source = await ClusterStorySource.open(cluster, stateDirAt(join(folder, 'state')));
  await source.apply('demo.yaml');
  const lines: Line[] = [];
  const to = { write: (line: string): void => void lines.push(JSON.parse(line)) };

  const start = async (service: ServiceName, pod: string, identity?: RunningService) => {
    const log = createLog({ service, level: 'info', format: 'json', to });
    const env = {
      ...source.settingsOf(service),
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
      GATEHOUSE_WEBHOOK_ADDR: '127.0.0.1:0',
      GATEHOUSE_POD_NAME: pod,
      ...(identity === undefined ? {} : { GATEHOUSE_IDENTITY_ADDR: identity.grpc }),
    };
    const running = await starters[service](env, log);
    t.after(() => running.stop('the test ends'));
    const [address = '', grpc] = running.grpc.split(':');
    const ports = { grpc: Number(grpc), admin: Number(new URL(running.admin).port) };
    const inSlice = sliceOf(pod, { service: headlessServiceOf[service], address, ports });
    // Kubernetes knows it before it is ready.
    cluster.server.fake.put(inSlice);
    return {
      running,
      ready: () => eventually(async () => (await fetch(`${running.admin}/ready`)).ok),
      /** As a Deployment ends a pod: out of the slices, then SIGTERM. */
      end: async () => {
        cluster.server.fake.remove(inSlice);
        await running.stop('SIGTERM');
      },
    };
  };
  return { start, lines, trustAnchors: await readFile(source.trustAnchors, 'utf8') };
};

/** What linkerd2-proxy's balancer does with a replica that it then does not call. */
const connectAndLeave = async (running: RunningService, ca: string): Promise<void> => {
  const [host = '', port] = running.grpc.split(':');
  const socket = connectTls({
    host,
    port: Number(port),
    ca,
    servername: running.name,
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  const session = connect('https://unused', { createConnection: () => socket });
  await once(session, 'remoteSettings');
  session.close();
  await once(session, 'close');
};

test('a start with two replicas each, a rollout and a scale-down log nothing above info', async (t) => {
  const { start, lines, trustAnchors } = await aControlPlane(t);
  const early = await start('identity', 'identity-0');
  const begun = new Map<ServiceName, Awaited<ReturnType<typeof start>>[]>([['identity', [early]]]);
  for (const service of serviceNames)
    for (const index of service === 'identity' ? [1] : [0, 1])
      begun.set(service, [
        ...(begun.get(service) ?? []),
        await start(service, `${service}-${index}`, early.running),
      ]);
  for (const replicas of begun.values())
    for (const { ready, running } of replicas) {
      await ready();
      await connectAndLeave(running, trustAnchors);
    }
  for (const [service, [first, second]] of begun) {
    assert.ok(first && second);
    const next = await start(service, `${service}-2`, early.running);
    await next.ready();
    // Identity's first replica certifies the others here: it goes last.
    const [old, kept] = service === 'identity' ? [second, first] : [first, second];
    await old.end();
    await connectAndLeave(next.running, trustAnchors);
    if (service !== 'identity') await kept.end();
  }
  assert.equal(lines.filter(({ msg }) => / is up$/.test(msg)).length, 9);
  assert.deepEqual(
    lines.filter(({ level }) => level !== 'info'),
    [],
  );
});

test('would fail if something were wrong', async (t) => {
  const { start, lines } = await aControlPlane(t);
  const identity = await start('identity', 'identity-0');
  await identity.ready();
  const [host = '', port] = identity.running.grpc.split(':');
  const socket = connectTls({ host, port: Number(port), maxVersion: 'TLSv1.2', rejectUnauthorized: false });
  await once(socket, 'error');
  await eventually(() => lines.some(({ level }) => level === 'warn'));
});
