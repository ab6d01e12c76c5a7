import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { serviceNames } from '@gatehouse/platform/service/service';
import type { Followed } from '@gatehouse/policy/testing/followed-stream';
import { watchPort } from '@gatehouse/policy/testing/watched-port';
import { freePort } from '@gatehouse/testing/free-port';
import { eventually } from '@gatehouse/testing/grpc';
import { aRequest, ipOf } from '@gatehouse/testing/inbound-attempt';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { runToEnd } from '../../cli/testing/run-cli.ts';
import { InstalledControlPlane } from './installed-control-plane.ts';
import { type MeshedPod, objectsIn, proxyOf, startMeshedPod, withoutKubeProxy } from './installed-pods.ts';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';

const tutorial = new URL('../../docs/getting-started/', import.meta.url);

/** Calls by `client port`, and what the proxy of every backend does with them. */
type Verdicts = Readonly<Record<string, 'allowed' | 'denied'>>;

/**
 * docs/getting-started.md from `install` to the last policy, on a cluster that is only its API server. The test does what
 * controllers and kubelets do; the pods get their proxy from the webhook, and each proxy's part is played with the
 * environment, the token and the certificate that it would have.
 */
export const installedStoryContract = (
  name: string,
  {
    skip = false,
    open,
  }: { readonly skip?: string | false; readonly open: () => Promise<ClusterWithWebhooks> },
): void => {
  suite(`the tutorial on ${name}`, { skip, timeout: 300_000 }, () => {
    let cluster: RealCluster<ClusterServer>;
    let installed: InstalledControlPlane;
    let backends: readonly (MeshedPod & { readonly rows: ReadonlyMap<number, Followed<InboundServer>> })[];
    const pods: MeshedPod[] = [];
    const clients: GrpcClient[] = [];

    const gatehouse = async (...args: readonly string[]): Promise<readonly WireObject[]> => {
      const { code, out, err } = await runToEnd([...args, '--kubeconfig', cluster.server.kubeconfig]);
      assert.equal(code, 0, err);
      assert.doesNotMatch(err, /‼/);
      return objectsIn(out);
    };

    /** `kubectl apply -n demo -f FILE` */
    const applyFile = async (file: string): Promise<void> => {
      const objects = objectsIn(await readFile(new URL(file, tutorial), 'utf8'));
      for (const { metadata, ...rest } of objects)
        await cluster.apply({ ...rest, metadata: { ...(metadata as WireObject), namespace: 'demo' } });
    };

    before(async () => {
      const opened = await open();
      cluster = opened.cluster;
      const port = await freePort();
      opened.serveAt?.(`127.0.0.1:${port}`);
      const objects = await gatehouse('install', '--set', 'policyController.enabled=true');
      for (const object of objects) await cluster.apply(withoutKubeProxy(object, port));
      installed = await InstalledControlPlane.of(cluster, objects, { webhook: `127.0.0.1:${port}` });
      for (const service of serviceNames) await installed.start(service);
    });

    after(async () => {
      for (const client of clients) await client.close();
      await installed?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
    });

    const createPod = async (
      pod: WireObject,
      query: Readonly<Record<string, string>> = {},
    ): Promise<WireObject> =>
      cluster.ask({ method: 'POST', path: '/api/v1/namespaces/demo/pods', query, body: pod });

    /** The rows of the ports that the injector wrote down. */
    const watchPorts = (pod: MeshedPod): ReadonlyMap<number, Followed<InboundServer>> => {
      const { address, security } = installed.serverFor('policy', pod.env);
      const client = new GrpcClient({ address, security: { ...security, certificate: pod.leaf } });
      clients.push(client);
      const workload = pod.env.LINKERD2_PROXY_POLICY_WORKLOAD ?? '';
      const ports = (pod.env.LINKERD2_PROXY_INBOUND_PORTS ?? '').split(',').map(Number);
      return new Map(ports.map((port) => [port, watchPort(client, { workload, port })]));
    };

    /** What all backends do with `GET /` from a pod on a port; what they do not agree on is a list. */
    const verdictOf = (call: string): string => {
      const [app = '', port = ''] = call.split(' ');
      const caller = pods.find((pod) => pod.app === app);
      assert(caller !== undefined, `there is no pod of ${app}`);
      const attempt = {
        client: ipOf(caller.ip),
        tls: { kind: 'identified', id: 'dns', name: caller.name },
        traffic: { kind: 'http', ...aRequest({ host: `backend:${port}` }) },
      } as const;
      const verdicts = backends.map(({ rows }) => {
        const row = rows.get(Number(port))?.messages.at(-1);
        return row === undefined ? 'nothing was sent' : evaluate(row, attempt, matchesWhole).kind;
      });
      return [...new Set(verdicts)].join(', ');
    };

    /** Waits for what the policy opens, and only then looks at what must have stayed closed. */
    const become = async (expected: Verdicts): Promise<void> => {
      const opened = Object.entries(expected).filter(([, verdict]) => verdict === 'allowed');
      await eventually(() => opened.every(([call]) => verdictOf(call) === 'allowed'));
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((call) => [call, verdictOf(call)])),
        expected,
      );
    };

    test('inject rolls the workloads that are there, and their new pods get a proxy that starts closed', async () => {
      const demo = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } };
      const account = { namespace: 'demo', name: 'default' };
      for (const object of [demo, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account }])
        await cluster.apply(object);
      await applyFile('demo.yaml');
      const injected = await gatehouse('inject', '--enable-per-namespace-defaults', '-n', 'demo');
      assert.deepEqual(
        injected.map(({ kind, metadata }) => `${kind}/${(metadata as WireObject).name}`),
        ['Namespace/demo', 'Deployment/backend', 'Deployment/frontend', 'Deployment/intruder'],
      );
      for (const object of injected) await cluster.apply(object);
      const wanted = injected.slice(1).flatMap(podsOf);
      // Until the API server and policy have both heard of the namespace, and the one of the other's certificate.
      const dryRun = () => createPod(wanted[0] ?? {}, { dryRun: 'All' }).catch(() => undefined);
      await eventually(async () => proxyOf(await dryRun()) !== undefined);
      for (const pod of wanted)
        pods.push(
          await startMeshedPod(cluster, installed, await createPod(pod), `10.244.0.${pods.length + 2}`),
        );
      assert.deepEqual(
        pods.map(({ app, env }) => `${app}: ${env.LINKERD2_PROXY_INBOUND_DEFAULT_POLICY}`),
        ['backend: deny', 'backend: deny', 'frontend: deny', 'intruder: deny'],
      );
    });

    test('every pod has the certificate of its ServiceAccount, from the roots of the installation', () => {
      assert.deepEqual(
        pods.map((pod) => pod.name),
        Array(4).fill('default.demo.serviceaccount.identity.gatehouse.cluster.local'),
      );
    });

    test('before any policy nobody may call backend', async () => {
      backends = pods
        .filter(({ app }) => app === 'backend')
        .map((pod) => ({ ...pod, rows: watchPorts(pod) }));
      for (const { rows } of backends) {
        assert.deepEqual([...rows.keys()], [8080, 9000]);
        for (const row of rows.values()) await row.message(0);
      }
      await become({
        'frontend 8080': 'denied',
        'intruder 8080': 'denied',
        'frontend 9000': 'denied',
        'intruder 9000': 'denied',
      });
    });

    test('frontend may call 8080 by its labels, and nothing else changes', async () => {
      await applyFile('allow-frontend.yaml');
      await become({
        'frontend 8080': 'allowed',
        'intruder 8080': 'denied',
        'frontend 9000': 'denied',
        'intruder 9000': 'denied',
      });
    });

    test('9000 opens to the ServiceAccount, which the intruder has as well', async () => {
      await applyFile('allow-by-account.yaml');
      await become({
        'frontend 8080': 'allowed',
        'intruder 8080': 'denied',
        'frontend 9000': 'allowed',
        'intruder 9000': 'allowed',
      });
    });

    test('the services had no reason to complain', () => {
      const { log } = installed;
      assert.deepEqual([log.lines('warn'), log.lines('error')], [[], []]);
    });
  });
};

/** The pods that the controllers of a Deployment make of it. */
const podsOf = ({ metadata, spec }: WireObject): readonly WireObject[] => {
  const { name } = metadata as { readonly name: string };
  const { replicas = 1, template } = spec as {
    readonly replicas?: number;
    readonly template: { readonly metadata: WireObject; readonly spec: WireObject };
  };
  return Array.from({ length: replicas }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, namespace: 'demo', name: `${name}-${at}` },
    // Named: the plugin that would default it is switched off where a test starts the API server.
    spec: { serviceAccountName: 'default', ...template.spec },
  }));
};
