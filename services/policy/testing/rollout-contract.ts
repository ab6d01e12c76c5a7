import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { anAuthority, type TestAuthority } from '@gatehouse/dev/certificates';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { watch } from '@gatehouse/platform/grpc/watch';
import { aCertifyServer } from '@gatehouse/testing/certify-server';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import { freePort } from '@gatehouse/testing/free-port';
import { eventually } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { sliceOf } from '@gatehouse/testing/replica-set';
import { aStallingNetwork, type StallingNetwork } from '@gatehouse/testing/stalling-network';
import { ask } from '@gatehouse/testing/started-admin';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';

const path = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';
const policyName = 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
const identityName = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';

const backends = ['backend-0', 'backend-1', 'backend-2'] as const;
type Backend = (typeof backends)[number];

/** Of which the proxy connects; the others' addresses are nobody's. */
const addressOf = (pod: Backend): string => `127.99.7.${backends.indexOf(pod) + 1}`;

const podOf = (name: string): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'demo',
    name,
    labels: { app: name.replace(/-\d+$/, ''), 'linkerd.io/control-plane-ns': 'gatehouse' },
  },
  spec: {
    serviceAccountName: 'default',
    containers: [{ name: 'app', image: 'i', ports: [{ containerPort: 8080 }] }],
  },
});

const policyFor = (app: string, ...callers: readonly string[]): WireObject => ({
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { namespace: 'demo', name: 'callers' },
  spec: {
    target: { selector: { matchLabels: { app } } },
    ports: [{ port: 8080 }],
    sources: [{ serviceAccounts: callers.map((name) => ({ name })) }],
  },
});

export interface RolloutContract {
  readonly skip?: string | false;
  /** In RBAC mode. */
  readonly open: () => Promise<RealCluster<ClusterServer>>;
  /** Two addresses of this machine, for the EndpointSlices; a real API server takes none on loopback. */
  readonly hosts: readonly [string, string];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

interface Replica {
  readonly pod: string;
  /** Where people ask it. */
  readonly url: string;
  readonly grpcPort: number;
  kill(): Promise<void>;
}

/** What of a report the tests look at. */
const seen = ({
  state,
  proxies,
  laggards,
  notWatching,
  partial,
}: {
  readonly state: string;
  readonly proxies: Readonly<Record<string, number>>;
  readonly laggards: readonly { readonly workload: { readonly name: string }; readonly reason: string }[];
  readonly notWatching: readonly { readonly workload: { readonly name: string }; readonly reason: string }[];
  readonly partial: readonly { readonly replica: string }[];
}) => ({
  state,
  proxies: `${proxies.programmed} of ${proxies.watching}`,
  laggards: laggards.map(({ workload, reason }) => `${workload.name} ${reason}`),
  notWatching: notWatching.map(({ workload, reason }) => `${workload.name} ${reason}`),
  partial: partial.map(({ replica }) => replica),
});

/** Two whole policy services on an API server, each a process on the permissions of deploy/rbac, and the proxies of three pods. */
const aMesh = async (t: TestContext, { open, hosts }: RolloutContract) => {
  const cluster = await open();
  t.after(() => cluster[Symbol.asyncDispose]());
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-rollout-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  const { server } = await aCertifyServer(t, { root, issuer, serverName: identityName });

  for (const name of ['demo', 'gatehouse'])
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const object of await readDeployedRbac()) await cluster.apply(object);
  for (const name of ['default', 'viewer', 'stranger'])
    await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'demo', name } });
  await cluster.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'viewer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gatehouse-viewer' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'demo', name: 'viewer' }],
  });
  for (const name of backends) {
    await cluster.apply(podOf(name));
    const { apiVersion, kind } = podOf(name);
    const ip = addressOf(name);
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }] };
    await cluster.setStatus({ apiVersion, kind, metadata: { namespace: 'demo', name }, status });
  }
  const token = await cluster.accountToken({ namespace: 'demo', name: 'viewer' }, 'gatehouse');
  const own = await cluster.accountToken({ namespace: 'gatehouse', name: 'gatehouse-policy' });
  await writeFile(file('kubeconfig'), await cluster.kubeconfigWith(own));
  await writeFile(file('ca.crt'), root.pem);
  await writeFile(file('token'), 'proves us');

  const start = async (index: 0 | 1): Promise<Replica> => {
    const pod = `gatehouse-policy-${index}`;
    const [adminPort, grpcPort] = [await freePort(), await freePort()];
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const env = {
      KUBECONFIG: file('kubeconfig'),
      GATEHOUSE_POD_NAME: pod,
      GATEHOUSE_IDENTITY_ADDR: server.address,
      GATEHOUSE_TOKEN_FILE: file('token'),
      GATEHOUSE_TRUST_ANCHORS: file('ca.crt'),
      GATEHOUSE_GRPC_ADDR: `0.0.0.0:${grpcPort}`,
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_ADMIN_ADDR: `0.0.0.0:${adminPort}`,
      GATEHOUSE_WEBHOOK_ADDR: '',
      GATEHOUSE_LOG_LEVEL: 'error',
    };
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    const ended = once(child, 'exit');
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    t.after(kill);
    const url = `http://127.0.0.1:${adminPort}`;
    await eventually(() =>
      fetch(`${url}/ready`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await cluster.apply(sliceOf(pod, { address: hosts[index], ports: { admin: adminPort } }));
    return { pod, url, grpcPort, kill };
  };
  const replicas = await Promise.all([start(0), start(1)]);

  /** The proxy of a pod, which watches its port at one replica, through a network of its own. */
  const proxyAt = async ({ grpcPort }: Replica, pod: Backend): Promise<StallingNetwork> => {
    const to = { host: '127.0.0.1', port: grpcPort };
    const network = await aStallingNetwork(t, { to, from: addressOf(pod) });
    follow(t, { network, root, pod });
    return network;
  };
  const read = async ({ url }: Replica, query: string, as = token) =>
    ask(`${url}/v1/policies/demo/networkauthenticationpolicy/callers/rollout${query}`, { token: as });
  /** What the status says of it, once it is about this generation. */
  const said = async (generation: number): Promise<string | undefined> => {
    const path = '/apis/policy.linkerd.io/v1alpha1/namespaces/demo/networkauthenticationpolicies/callers';
    const { status } = (await cluster.ask({ path })) as {
      readonly status?: { readonly conditions: Condition[] };
    };
    const found = status?.conditions.find(({ type }) => type === 'Programmed');
    if (found?.observedGeneration !== generation) return undefined;
    return `${found.status} ${found.reason} ${found.message}`;
  };
  const comesToSay = (generation: number, text: string) =>
    eventually(async () => (await said(generation)) === text);
  return { cluster, replicas, proxyAt, read, comesToSay };
};

const follow = (
  t: TestContext,
  {
    network,
    root,
    pod,
  }: { readonly network: StallingNetwork; readonly root: TestAuthority; readonly pod: Backend },
): void => {
  const security = { serverName: policyName, trustAnchors: root.pem };
  const client = new GrpcClient({ address: network.address, security, connectTimeoutMs: 10_000 });
  const abort = new AbortController();
  t.after(async () => {
    abort.abort();
    await client.close();
  });
  void watch({
    client,
    path,
    request: PortSpec.encode({ workload: JSON.stringify({ ns: 'demo', pod }), port: 8080 }).finish(),
    signal: abort.signal,
    onMessage: () => {},
  });
};

const generationOf = ({ metadata }: WireObject): number => (metadata as { generation: number }).generation;

/** A policy's way to proxies over two replicas, one of which is killed on the way: on the fake API server, and on the real one. */
export const rolloutContract = (name: string, contract: RolloutContract): void => {
  const { skip = false } = contract;
  test(`the rollout of a policy over two replicas on ${name}`, { skip, timeout: 300_000 }, async (t) => {
    const { cluster, replicas, proxyAt, read, comesToSay } = await aMesh(t, contract);
    const [first, second] = replicas;
    assert.ok(first && second);
    const whole = { state: 'Programmed', proxies: '3 of 3', laggards: [], notWatching: [], partial: [] };
    const wait = (generation: number, patience = '60s'): string =>
      `?generation=${generation}&wait=${patience}`;
    await proxyAt(first, 'backend-0');
    const slow = await proxyAt(second, 'backend-1');
    await proxyAt(second, 'backend-2');

    await t.test(
      'each replica says so when it is in force on all proxies, whichever they are connected to',
      async () => {
        const generation = generationOf(await cluster.apply(policyFor('backend', 'web')));
        for (const replica of [first, second]) {
          const { status, json, text } = await read(replica, wait(generation));
          assert.equal(status, 200, text);
          assert.deepEqual(seen(json), whole);
          assert.deepEqual([json.generation, json.policyState], [generation, 'Enforced']);
          assert.deepEqual(
            json.versions.map(({ programmed, streams }: Record<string, number>) => [programmed, streams]),
            [[3, 3]],
          );
        }
      },
    );

    await t.test('a proxy that reads slowly lags, with what it has, and is never counted', async () => {
      slow.stall();
      const generation = generationOf(await cluster.apply(policyFor('backend', 'web', 'jobs')));
      await eventually(async () => (await read(first, '')).json.proxies.programmed === 2);
      const { json } = await read(first, wait(generation, '1s'));
      assert.deepEqual(seen(json), {
        ...whole,
        state: 'InProgress',
        proxies: '2 of 3',
        laggards: ['backend-1 NotAnswered'],
      });
      const [laggard] = json.laggards;
      assert.deepEqual([laggard.replica, laggard.peer], [second.pod, addressOf('backend-1')]);
      assert.equal(laggard.sent, laggard.wanted);
      assert.notEqual(laggard.has, laggard.wanted);
      assert.match(json.message, /^In force on 2 of 3 proxies: backend-1 has not confirmed it\./);
      await comesToSay(
        generation,
        'False InProgress In force on 2 of 3 proxies: backend-1 has not confirmed it.',
      );
      slow.goOn();
      assert.deepEqual(seen((await read(first, wait(generation))).json), whole);
      await comesToSay(generation, 'True Programmed In force on 3 of 3 proxies.');
    });

    await t.test('one that waits is answered as soon as the last proxy has it', async () => {
      slow.stall();
      const generation = generationOf(await cluster.apply(policyFor('backend', 'web')));
      let isAnswered = false;
      const waiting = read(first, wait(generation)).then(({ json }) => {
        isAnswered = true;
        return json;
      });
      await eventually(async () => (await read(first, '')).json.proxies.programmed === 2);
      assert.equal(isAnswered, false);
      slow.goOn();
      assert.deepEqual(seen(await waiting), whole);
    });

    await t.test(
      'when a replica is killed on the way, it is named, and its proxies are unknown',
      async () => {
        const generation = generationOf(await cluster.apply(policyFor('backend', 'web', 'jobs')));
        await second.kill();
        const { json } = await read(first, wait(generation, '1s'));
        assert.deepEqual(seen(json), {
          state: 'Unknown',
          proxies: '1 of 1',
          laggards: [],
          notWatching: ['backend-1 Unknown', 'backend-2 Unknown'],
          partial: [second.pod],
        });
        assert.equal(json.proxies.unknown, 2);
        // Whichever replica wrote before, the one that is left does now.
        await comesToSay(
          generation,
          'Unknown Unknown In force on 1 of 1 proxy. Of backend-1, backend-2 it is not known: a replica could not be asked.',
        );
        for (const pod of ['backend-1', 'backend-2'] as const) await proxyAt(first, pod);
        assert.deepEqual(seen((await read(first, wait(generation))).json), {
          ...whole,
          partial: [second.pod],
        });
      },
    );

    await t.test('what selects nothing, and what was deleted, is answered clearly and at once', async () => {
      const generation = generationOf(await cluster.apply(policyFor('nothing', 'web')));
      const { json } = await read(first, wait(generation));
      assert.deepEqual([json.state, json.policyState], ['NothingToProgram', 'MatchesNothing']);
      assert.equal(json.message, 'There is no proxy on which it could be in force. It selects no pod.');
      const last = generationOf(await cluster.apply(policyFor('backend', 'web')));
      await read(first, wait(last));
      await cluster.remove(policyFor('backend'));
      await eventually(async () => (await read(first, '')).json.deletedAt !== null);
      const gone = await read(first, '?wait=60s');
      assert.deepEqual(
        [seen(gone.json), gone.json.message, gone.json.policyState],
        [{ ...whole, partial: [second.pod] }, 'Its deletion is in force on 3 of 3 proxies.', null],
      );
    });

    await t.test('what cannot be asked is refused with what is right', async () => {
      for (const [query, status, pattern] of [
        ['?wait=2m', 400, /60s at most/],
        ['?wait=soon', 400, /wait.*not a valid duration/],
        ['?generation=0', 400, /generation/],
      ] as const) {
        const answer = await read(first, query);
        assert.deepEqual([answer.status, pattern.test(answer.text)], [status, true], answer.text);
      }
      const stranger = await cluster.accountToken({ namespace: 'demo', name: 'stranger' }, 'gatehouse');
      assert.equal((await read(first, '', stranger)).status, 403);
      const nothing = await ask(`${first.url}/internal/v1/inbound-watches?namespace=demo`, {
        token: stranger,
      });
      assert.equal(nothing.status, 403);
    });
  });
};
