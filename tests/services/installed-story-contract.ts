import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { aKey } from '@gatehouse/dev/certificates';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { serviceNames } from '@gatehouse/platform/service/service';
import type { TlsMaterial } from '@gatehouse/platform/tls/material';
import type { Followed } from '@gatehouse/policy/testing/followed-stream';
import { watchPort } from '@gatehouse/policy/testing/watched-port';
import { freePort } from '@gatehouse/testing/free-port';
import { eventually, portOf } from '@gatehouse/testing/grpc';
import { aRequest, ipOf } from '@gatehouse/testing/inbound-attempt';
import { environmentIn, type PodVariable } from '@gatehouse/testing/pod-environment';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { runToEnd } from '../../cli/testing/run-cli.ts';
import { InstalledControlPlane } from './installed-control-plane.ts';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';

const tutorial = new URL('../../docs/getting-started/', import.meta.url);

/** A pod as the API server has it, with what its proxy is told and what it obtained with it. */
interface MeshedPod {
  readonly app: string;
  readonly ip: string;
  readonly env: Readonly<Record<string, string>>;
  readonly leaf: TlsMaterial;
  /** The DNS SANs of the leaf, by which its peers know it. */
  readonly name: string;
}

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
    const addresses = new Map<string, string>();
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
      for (const service of serviceNames) addresses.set(service, (await installed.start(service)).grpc);
    });

    after(async () => {
      for (const client of clients) await client.close();
      await installed?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
    });

    /** A server of the control plane as an injected proxy knows it, but for the address that DNS would say. */
    const server = (service: 'identity' | 'policy', env: MeshedPod['env']) => ({
      address: { host: '127.0.0.1', port: portOf({ address: addresses.get(service) ?? '' }) },
      security: {
        serverName: env[`LINKERD2_PROXY_${service.toUpperCase()}_SVC_NAME`] ?? '',
        trustAnchors: env.LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS ?? '',
      },
    });

    const createPod = async (
      pod: WireObject,
      query: Readonly<Record<string, string>> = {},
    ): Promise<WireObject> =>
      cluster.ask({ method: 'POST', path: '/api/v1/namespaces/demo/pods', query, body: pod });

    /** What a pod's start comes to: kubelet says that it runs, and its proxy obtains a certificate. */
    const startPod = async (made: WireObject): Promise<MeshedPod> => {
      const ip = `10.244.0.${pods.length + 2}`;
      const { name: podName, labels } = made.metadata as { name: string; labels: Record<string, string> };
      const status = {
        phase: 'Running',
        podIP: ip,
        podIPs: [{ ip }],
        conditions: [{ type: 'Ready', status: 'True' }],
      };
      const metadata = { name: podName, namespace: 'demo' };
      await cluster.setStatus({ apiVersion: 'v1', kind: 'Pod', metadata, status });
      const env = environmentIn(proxyOf(made)?.env ?? [], {
        'metadata.name': podName,
        'metadata.namespace': 'demo',
        'spec.serviceAccountName': 'default',
        'status.podIPs': ip,
      });
      const { trustAnchors } = server('identity', env).security;
      const leaf = await certify({
        server: server('identity', env),
        trustAnchors,
        name: env.LINKERD2_PROXY_IDENTITY_LOCAL_NAME ?? '',
        key: aKey(),
        token: Buffer.from(await cluster.token(made, audienceOf(made))),
      });
      const names = new X509Certificate(leaf.chain[0] ?? Buffer.of()).subjectAltName ?? '';
      return { app: labels.app ?? '', ip, env, leaf, name: names.replaceAll('DNS:', '') };
    };

    /** The rows of the ports that the injector wrote down. */
    const watchPorts = (pod: MeshedPod): ReadonlyMap<number, Followed<InboundServer>> => {
      const { address, security } = server('policy', pod.env);
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
      for (const pod of wanted) pods.push(await startPod(await createPod(pod)));
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

const objectsIn = (text: string): readonly WireObject[] => {
  const loaded = loadYaml(text);
  assert.ok(loaded.ok, text);
  return loaded.value as readonly WireObject[];
};

/** There is no kube-proxy: the API server calls a Service of this type by its name, on the port that a webhook says. */
const withoutKubeProxy = (object: WireObject, port: number): WireObject => {
  const { kind, metadata, webhooks } = object as {
    readonly kind: string;
    readonly metadata: WireObject;
    readonly webhooks?: readonly { readonly clientConfig: { readonly service: WireObject } }[];
  };
  if (kind === 'Service' && metadata.name === 'gatehouse-webhook')
    return { ...object, spec: { type: 'ExternalName', externalName: 'localhost' } };
  if (webhooks === undefined) return object;
  return {
    ...object,
    webhooks: webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { service: { ...webhook.clientConfig.service, port } },
    })),
  };
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

const proxyOf = (pod: WireObject | undefined): { readonly env: readonly PodVariable[] } | undefined => {
  const { initContainers = [] } = (pod?.spec ?? {}) as {
    readonly initContainers?: readonly { readonly name: string; readonly env: readonly PodVariable[] }[];
  };
  return initContainers.find(({ name }) => name === 'linkerd-proxy');
};

/** The audience of the token that kubelet mounts for the proxy. */
const audienceOf = (pod: WireObject): string => {
  const { volumes = [] } = pod.spec as {
    readonly volumes?: readonly {
      readonly projected?: {
        readonly sources: readonly { readonly serviceAccountToken?: { readonly audience?: string } }[];
      };
    }[];
  };
  const [audience] = volumes
    .flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken }) => serviceAccountToken?.audience ?? []);
  assert(audience !== undefined, 'the pod mounts a token for identity');
  return audience;
};
