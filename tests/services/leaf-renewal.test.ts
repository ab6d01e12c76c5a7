import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import { readStateFile } from '@gatehouse/platform/state/state-files';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { aGrpcClient, eventually } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';

const backend = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'backend', namespace: 'demo' },
  spec: {
    replicas,
    template: {
      metadata: { labels: { app: 'backend' }, annotations: { 'linkerd.io/inject': 'enabled' } },
      spec: { containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 8080 }] }] },
    },
  },
});

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'backend', namespace: 'demo' },
  spec: { selector: { app: 'backend' }, ports: [{ port: 80, targetPort: 8080 }] },
};

const policy = {
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { name: 'anybody', namespace: 'demo' },
  spec: {
    target: { selector: { matchLabels: { app: 'backend' } } },
    sources: [{ networks: [{ cidr: '10.0.0.0/8' }] }],
  },
};

/** The three services over TLS, whose certificates live for fifteen seconds. */
const aMesh = async (t: TestContext) => {
  const root = await temporaryFolder(t);
  const [state, folder] = [join(root, 'state'), join(root, 'manifests')];
  for (const path of [state, folder]) await mkdir(path);
  const put = (object: { readonly kind: string }) =>
    writeFile(join(folder, `${object.kind}.json`), JSON.stringify(object));
  for (const object of [backend(1), service]) await put(object);
  const env = {
    GATEHOUSE_SOURCE: `directory:${folder}`,
    GATEHOUSE_STATE_DIR: state,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_ISSUANCE_LIFETIME: '15s',
    GATEHOUSE_CLOCK_SKEW: '0s',
  };
  const parts = { log: silentLog };
  const startAgain = async (address: string): Promise<RunningService> => {
    const config = readIdentityConfig({ ...env, GATEHOUSE_GRPC_ADDR: address });
    const identity = await startIdentity(config, parts);
    t.after(() => identity.stop('the test is over'));
    return identity;
  };
  const identity = await startAgain('127.0.0.1:0');
  const more = { ...env, GATEHOUSE_IDENTITY_ADDR: identity.grpc };
  const destination = await startDestination(readDestinationConfig(more), parts);
  t.after(() => destination.stop('the test is over'));
  const ruling = await startPolicy(readPolicyConfig(more), parts);
  t.after(() => ruling.stop('the test is over'));
  const all = [identity, destination, ruling];
  for (const { admin } of all) while ((await fetch(`${admin}/ready`)).status !== 200);
  return {
    all,
    identity,
    destination,
    policy: ruling,
    put,
    restartIdentity: () => startAgain(identity.grpc),
    anchors: await readStateFile(join(state, 'trust-anchors.crt')),
    adminToken: (await readStateFile(join(state, 'admin-token'))).trim(),
  };
};

/** The serial of what a service shows to who connects now. */
const shown = async ({ grpc, name }: RunningService, anchors: string): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const port = Number(new URL(`http://${grpc}`).port);
  const socket = connect({ host: '127.0.0.1', port, servername: name, ca: anchors, minVersion: 'TLSv1.3' });
  socket.once('secureConnect', resolve).once('error', reject);
  try {
    await promise;
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
};

/** How far the wall clock is from the clock that nobody sets, in milliseconds. */
const clockOffset = (): number => Date.now() - performance.now();

/**
 * Runs it again where it failed while the machine's wall clock was set, or the machine stood still: certificates of fifteen
 * seconds then end before their time, which is no fault of the services.
 */
const onASteadyClock = async (run: () => Promise<void>): Promise<void> => {
  for (let left = 3; ; left -= 1) {
    const before = clockOffset();
    try {
      return await run();
    } catch (thrown) {
      if (left === 1 || Math.abs(clockOffset() - before) < 1_000) throw thrown;
    }
  }
};

// Both wait for fifteen seconds of a certificate's life, so they wait together.
suite('the certificates of real services', { concurrency: true }, () => {
  test('streams of a proxy live on while every service renews its certificate twice', (t) =>
    onASteadyClock(async () => {
      const { all, destination, policy: ruling, put, anchors } = await aMesh(t);
      const ended: string[] = [];
      const stream = (of: RunningService, path: string, request: Uint8Array): { messages: number } => {
        const seen = { messages: 0 };
        const client = aGrpcClient(t, { address: of.grpc }, { serverName: of.name, trustAnchors: anchors });
        client.serverStream(path, request, {
          onMessage: () => {
            seen.messages += 1;
          },
          onEnd: (error) => void ended.push(`${path}: ${error?.message}`),
        });
        return seen;
      };
      const spec = { workload: JSON.stringify({ ns: 'demo', pod: 'backend-0' }), port: 8080 };
      const rows = stream(
        ruling,
        '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
        PortSpec.encode(spec).finish(),
      );
      const target = { scheme: '', path: 'backend.demo.svc.cluster.local:80', contextToken: '' };
      const endpoints = stream(
        destination,
        '/io.linkerd.proxy.destination.Destination/Get',
        GetDestination.encode(target).finish(),
      );
      await eventually(() => rows.messages > 0 && endpoints.messages > 0);

      const serials = all.map(() => new Set<string>());
      while (serials.some(({ size }) => size < 3)) {
        for (const [at, each] of all.entries()) serials[at]?.add(await shown(each, anchors));
        await sleep(250);
      }
      assert.deepEqual(ended, []);
      const before = { rows: rows.messages, endpoints: endpoints.messages };
      await put(backend(2));
      await put(policy);
      await eventually(() => rows.messages > before.rows && endpoints.messages > before.endpoints);
      assert.deepEqual(ended, []);
    }));

  test('a service that cannot renew says so before its certificate ends, when it has ended, and recovers by itself', (t) =>
    onASteadyClock(async () => {
      const { identity, destination, restartIdentity, adminToken } = await aMesh(t);
      const health = async () =>
        (await ask(`${destination.admin}/v1/health`, { token: adminToken })).json as {
          readonly ready: boolean;
          readonly reasons: readonly string[];
          readonly warnings: readonly string[];
        };
      assert.deepEqual((await health()).warnings, []);
      await identity.stop('an outage');
      let seen = await health();
      while (seen.warnings.length === 0) {
        assert.equal(seen.ready, true);
        await sleep(50);
        seen = await health();
      }
      assert.equal(seen.ready, true, 'what is warned of has not happened');
      assert.match(
        seen.warnings[0] ?? '',
        /^the serving certificate ends in \d+ seconds?, at .* and is not renewed: .*; see that identity is ready/,
      );
      while (seen.ready) {
        await sleep(50);
        seen = await health();
      }
      assert.match(seen.reasons.join(), /the serving certificate expired at/);
      await restartIdentity();
      while (!seen.ready) {
        await sleep(50);
        seen = await health();
      }
      assert.deepEqual(seen.warnings, []);
    }));
});
