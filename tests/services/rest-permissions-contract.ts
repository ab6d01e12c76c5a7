import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseHostPort } from '@gatehouse/core/host-port';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { aKey } from '@gatehouse/dev/certificates';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { openKubeClient } from '@gatehouse/platform/kube/client/client';
import { KubeEvents } from '@gatehouse/platform/kube/write/events';
import { silentLog } from '@gatehouse/platform/log/log';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import type { RunningService, ServiceName } from '@gatehouse/platform/service/service';
import type { ServiceParts } from '@gatehouse/platform/service/service-base';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir } from '@gatehouse/platform/state/state-dir';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { eventually } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { ask } from '@gatehouse/testing/started-admin';
import { GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { expected, type Namespace, namespaces, type Route, urlOf, valuesFor } from './asked-routes.ts';
import { ClusterStorySource } from './cluster-source.ts';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };

const objectsOf = (namespace: Namespace): readonly WireObject[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name: `${namespace}-svc` },
    spec: { selector: { app: namespace }, ports: [{ port: 80, targetPort: 8080 }] },
  },
  {
    apiVersion: 'policy.linkerd.io/v1alpha1',
    kind: 'NetworkAuthenticationPolicy',
    metadata: { namespace, name: `${namespace}-svc` },
    spec: { target: { selector: {} }, sources: [{ serviceAccounts: [{ name: 'default' }] }] },
  },
];

const podOf = (namespace: Namespace): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace,
    name: `${namespace}-pod`,
    labels: { app: namespace, 'linkerd.io/control-plane-ns': mesh.controlPlaneNamespace },
  },
  spec: { serviceAccountName: 'default', containers: [{ name: namespace, image: 'i' }] },
});

/** Who calls: a viewer of all, a team that has the namespace `demo`, and somebody without any role. */
const callers = ['viewer', 'team', 'nobody'] as const;
type Caller = (typeof callers)[number];

const bindings: readonly WireObject[] = (
  [
    ['viewer', 'gatehouse-viewer', undefined],
    ['team', 'gatehouse-caller', undefined],
    ['team', 'gatehouse-namespace-viewer', 'demo'],
  ] as const
).map(([name, role, namespace]) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name: `${name}-${role}`, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', namespace: 'demo', name }],
}));

/**
 * The three services as they run in a cluster, each with its own ServiceAccount and the permissions of deploy/rbac and no
 * others, and every route that they serve: run on the fake API server, and on the real one. The cluster is in RBAC mode.
 */
export const restPermissionsContract = (
  name: string,
  {
    skip = false,
    open,
  }: { readonly skip?: string | false; readonly open: () => Promise<RealCluster<ClusterServer>> },
): void => {
  suite(`the services on ${name}, each on its own account`, { skip, timeout: 300_000 }, () => {
    let cluster: RealCluster<ClusterServer>;
    let folder: string;
    const running = new Map<ServiceName, RunningService>();
    const clients: GrpcClient[] = [];
    const tokens = new Map<Caller, string>();
    const pods = new Map<Namespace, WireObject>();
    let source: ClusterStorySource;
    let routes: readonly Route[];

    const adminOf = (service: ServiceName): string => running.get(service)?.admin ?? '';
    const hear = (route: Pick<Route, 'service'>, path: string, caller: Caller | undefined) => {
      const token = caller === undefined ? undefined : tokens.get(caller);
      return ask(`${adminOf(route.service)}${path}`, token === undefined ? {} : { token });
    };

    before(async () => {
      cluster = await open();
      folder = await mkdtemp(join(tmpdir(), 'gatehouse-permissions-'));
      source = await ClusterStorySource.open(cluster, await makeStateDir(join(folder, 'state')));
      for (const object of [...namespaces.flatMap(objectsOf), ...bindings]) await cluster.apply(object);
      for (const caller of callers) {
        const account = { namespace: 'demo', name: caller };
        await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
        tokens.set(caller, await cluster.accountToken(account, 'gatehouse'));
      }
      for (const namespace of namespaces) {
        pods.set(namespace, await cluster.apply(podOf(namespace)));
        const ip = `127.99.0.${pods.size}`;
        const { apiVersion, kind, metadata } = podOf(namespace);
        const conditions = [{ type: 'Ready', status: 'True' }];
        const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions };
        await cluster.setStatus({ apiVersion, kind, metadata, status });
      }
      for (const service of serviceNames) running.set(service, await startReady(service));
      routes = (await Promise.all(serviceNames.map(routesOf))).flat();
      for (const namespace of namespaces) await useMesh(namespace);
    });

    after(async () => {
      for (const client of clients) await client.close();
      for (const service of serviceNames.toReversed()) await running.get(service)?.stop('the test is over');
      await cluster[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const startReady = async (
      service: ServiceName,
      more: Readonly<Record<string, string>> = {},
    ): Promise<RunningService> => {
      const addresses = {
        GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
        GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
        GATEHOUSE_WEBHOOK_ADDR: '',
      };
      const started = await start(service, { ...source.settingsOf(service), ...addresses, ...more });
      await untilReady(started.admin).catch(async (error: unknown) => {
        await started.stop('it does not become ready');
        throw error;
      });
      return started;
    };

    const routesOf = async (service: ServiceName): Promise<readonly Route[]> => {
      const { status, json } = await hear({ service }, '/v1/openapi.json', 'viewer');
      assert.equal(status, 200);
      return Object.entries(json.paths as Record<string, { get: Route }>).map(([path, { get }]) => ({
        service,
        path,
        parameters: get.parameters ?? [],
      }));
    };

    /** What a proxy of the namespace's pod does: it obtains a certificate, and opens a stream at both other services. */
    const useMesh = async (namespace: Namespace): Promise<void> => {
      await certifyPodOf(namespace, running.get('identity'));
      const authority = valuesFor(namespace).authority ?? '';
      const contextToken = JSON.stringify({ ns: namespace, pod: `${namespace}-pod` });
      await openStream('destination', 'io.linkerd.proxy.destination.Destination/Get', {
        request: GetDestination.encode({ scheme: '', path: authority, contextToken }).finish(),
      });
      await openStream('policy', 'io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort', {
        request: PortSpec.encode({ workload: `${namespace}:${namespace}-pod`, port: 8080 }).finish(),
      });
    };

    const certifyPodOf = async (namespace: Namespace, identity: RunningService | undefined) =>
      certify({
        server: { address: addressOf(identity), security: 'plaintext' },
        trustAnchors: await readFile(source.trustAnchors, 'utf8'),
        name: printIdentity(identityOf(mesh, namespace, 'default')),
        key: aKey(),
        token: Buffer.from(await cluster.token(pods.get(namespace) ?? {}, identityAudience)),
      });

    const addressOf = (service: RunningService | undefined) => {
      const parsed = parseHostPort(service?.grpc ?? '');
      if (!parsed.ok) assert.fail(`${service?.service} is nowhere`);
      return parsed.value;
    };

    /** Resolves with the first message; the stream stays open. */
    const openStream = async (
      service: ServiceName,
      method: string,
      { request }: { readonly request: Uint8Array },
    ): Promise<void> => {
      const client = new GrpcClient({ address: addressOf(running.get(service)), security: 'plaintext' });
      clients.push(client);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      client.serverStream(`/${method}`, request, { onMessage: () => resolve(), onEnd: reject });
      await promise;
    };

    test('each has become ready with the permissions of deploy/rbac alone, and serves proxies', () => {
      assert.deepEqual([...running.keys()], serviceNames);
      assert.equal(clients.length, 4);
    });

    test('each finds its replicas, and tells operators by Events, with the same permissions', async () => {
      for (const service of serviceNames) {
        const { json } = await hear({ service }, '/v1/streams', 'viewer');
        assert.deepEqual(json.partial, [], service);
        const client = await openKubeClient({ kubeconfig: source.settingsOf(service).KUBECONFIG });
        const end = new AbortController();
        let skipped = 0;
        const results: string[] = [];
        const events = new KubeEvents({
          client,
          service,
          namespace: mesh.controlPlaneNamespace,
          log: silentLog,
          onResult: (result) => void results.push(result),
          now: () => Date.now() + skipped,
          elapsed: () => performance.now() + skipped,
          sleep: (_ms, signal) => sleep(10, undefined, { signal }).catch(() => {}),
        });
        const running = events.run(end.signal);
        const note = {
          type: 'Normal',
          reason: 'Tried',
          action: 'Try',
          note: 'permissions are tried',
        } as const;
        events.record(note);
        await eventually(() => results.length === 1);
        // The second of a series is told a minute later, as a change of the first.
        events.record(note);
        skipped = 61_000;
        await eventually(() => results.length === 2);
        assert.deepEqual(results, ['sent', 'sent'], service);
        end.abort();
        await running;
        client.close();
      }
      const path = `/apis/events.k8s.io/v1/namespaces/${mesh.controlPlaneNamespace}/events`;
      const { items } = await cluster.ask({ path });
      const counts = (items as readonly WireObject[])
        .filter(({ reason }) => reason === 'Tried')
        .map(({ series }) => (series as { readonly count: number } | undefined)?.count);
      assert.deepEqual(counts, [2, 2, 2]);
    });

    test('identity gets by with the same permissions when it verifies tokens by the keys of the cluster', async () => {
      const identity = await startReady('identity', { GATEHOUSE_TOKEN_REVIEWER: 'jwks' });
      try {
        const { validUntil } = await certifyPodOf('demo', identity);
        assert.ok(validUntil > Date.now());
        const { text } = await ask(`${identity.admin}/metrics`);
        assert.match(text, /^gatehouse_identity_token_keys\{service="identity"\} [1-9]/m);
        // It did not have to ask about the token.
        assert.doesNotMatch(text, /^gatehouse_identity_token_reviews_total\{/m);
      } finally {
        await identity.stop('the test is over');
      }
    });

    test('every route shows a team what is its own, and nothing of anybody else', async () => {
      const found: Record<string, string> = {};
      for (const route of routes) {
        const path = urlOf(route, 'hidden');
        const all = await hear(route, path, 'viewer');
        assert.equal(all.status, 200, `${path} for the viewer: ${all.text}`);
        const team = await hear(route, path, 'team');
        assert.equal(team.text.includes('hidden-'), false, `${path} shows the team: ${team.text}`);
        assert.equal((await hear(route, urlOf(route, 'demo'), 'team')).status, 200, path);
        const isPrivate = all.text.includes('hidden');
        found[`${route.service} ${route.path}`] =
          team.status === 403 ? 'refused' : isPrivate ? 'left out' : 'of the mesh';
      }
      // Identity holds no streams open, so its list is empty for everybody.
      assert.deepEqual({ ...found, 'identity /v1/streams': 'left out' }, expected);
    });

    test('a list that is asked for one namespace refuses those who may not see it', async () => {
      const filtered = routes.filter((route) => route.parameters.some(({ name }) => name === 'namespace'));
      assert.equal(filtered.length, 13);
      for (const route of filtered) {
        const { path } = route;
        if (path.includes('{')) continue;
        const statuses = [];
        for (const namespace of namespaces) {
          statuses.push((await hear(route, `${path}?namespace=${namespace}`, 'team')).status);
        }
        assert.deepEqual(statuses, [200, 403], path);
        const own = await hear(route, path, 'team');
        const all = await hear(route, path, 'viewer');
        const some = all.json.items.filter((item: unknown) => !JSON.stringify(item).includes('hidden'));
        assert.deepEqual(
          own.json.items,
          some.filter((item: unknown) => JSON.stringify(item).includes('demo')),
          path,
        );
      }
    });

    test('a Service that is named in short, without its port, is refused before anybody looks for one', async () => {
      const route = routes.find(({ path }) => path === '/v1/resolve') ?? assert.fail('no such route');
      for (const name of ['hidden-svc.hidden', 'nothing-there.hidden'] as const) {
        const { status, text } = await hear(route, `/v1/resolve?authority=${name}`, 'team');
        assert.deepEqual([status, text.includes('80')], [403, false], name);
      }
    });

    test('nobody without a role sees anything, and nobody without a token', async () => {
      for (const route of routes) {
        const path = urlOf(route, 'demo');
        assert.equal((await hear(route, path, 'nobody')).status, 403, path);
        assert.equal((await hear(route, path, undefined)).status, 401, path);
      }
    });
  });
};

const start = (service: ServiceName, env: NodeJS.ProcessEnv): Promise<RunningService> => {
  const parts: ServiceParts = { log: silentLog };
  switch (service) {
    case 'identity':
      return startIdentity(readIdentityConfig(env), parts);
    case 'destination':
      return startDestination(readDestinationConfig(env), parts);
    case 'policy':
      return startPolicy(readPolicyConfig(env), parts);
  }
};

const untilReady = async (admin: string): Promise<void> => {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { status, text } = await ask(`${admin}/ready`);
    if (status === 200) return;
    if (Date.now() > deadline) assert.fail(`${admin} is not ready: ${text}`);
    await sleep(25);
  }
};
