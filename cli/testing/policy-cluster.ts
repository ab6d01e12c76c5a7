import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anAuthority } from '@gatehouse/dev/certificates';
import { startServices } from '@gatehouse/dev/serve/start-services';
import type { RunningService } from '@gatehouse/platform/service/service';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { ask } from '@gatehouse/testing/started-admin';
import type { Bound, OpenedCluster } from './identity-cluster.ts';
import { type Ended, runToEnd } from './run-cli.ts';

const node = 'node-1';
const controlPlane = 'gatehouse';

/** A real policy service in a cluster that has its Service and its pod, and people with kubeconfigs of their own. */
export class PolicyCluster implements AsyncDisposable {
  readonly #cluster: RealCluster<ClusterServer>;
  readonly #folder: string;
  readonly #policy: RunningService;

  private constructor(cluster: RealCluster<ClusterServer>, folder: string, policy: RunningService) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#policy = policy;
  }

  static async start({ cluster, kubeletPort }: OpenedCluster): Promise<PolicyCluster> {
    for (const name of [controlPlane, 'demo', 'other', 'people'])
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const object of await readDeployedRbac()) await cluster.apply(object);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-policy-cli-'));
    const policy = await startOn(cluster, folder).catch(async (error: unknown) => {
      await cluster[Symbol.asyncDispose]();
      throw error;
    });
    const started = new PolicyCluster(cluster, folder, policy);
    if (kubeletPort !== undefined) await started.#makeNode(kubeletPort);
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: controlPlane, name: 'gatehouse-policy' },
      spec: { clusterIP: 'None', selector: { app: 'policy' }, ports: [{ name: 'grpc', port: 8090 }] },
    });
    const port = Number(new URL(started.#policy.admin).port);
    await started.makePod(
      { namespace: controlPlane, name: 'gatehouse-policy-0', labels: { app: 'policy' } },
      { ports: [{ name: 'admin', containerPort: port }] },
    );
    return started;
  }

  apply(object: WireObject): Promise<WireObject> {
    return this.#cluster.apply(object);
  }

  /** A pod that runs; those at 127.0.0.1 can be forwarded to. */
  async makePod(
    metadata: WireObject,
    { ip = '127.0.0.1', ports = [], ...spec }: WireObject & { readonly ip?: string } = {},
  ): Promise<void> {
    const containers = [{ name: 'app', image: 'i', ports }];
    await this.#cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { nodeName: node, serviceAccountName: 'default', containers, ...spec },
    });
    const { namespace, name } = metadata;
    await this.#cluster.setStatus({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name },
      status: {
        phase: 'Running',
        podIP: ip,
        podIPs: [{ ip }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
  }

  /** The path of a kubeconfig of a new ServiceAccount of the namespace `people` that is bound to these roles. */
  async personWith(name: string, ...roles: readonly Bound[]): Promise<string> {
    const account = { namespace: 'people', name };
    await this.#cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    for (const { role, kind = 'ClusterRole', namespace } of roles) {
      await this.#cluster.apply({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
        metadata: { name: `${name}-${role}`, ...(namespace === undefined ? {} : { namespace }) },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
        subjects: [{ kind: 'ServiceAccount', ...account }],
      });
    }
    const file = join(this.#folder, `${name}.kubeconfig`);
    await writeFile(file, await this.#cluster.kubeconfigWith(await this.#cluster.accountToken(account)));
    return file;
  }

  /** A command line with a kubeconfig, an administrator's when left out. */
  run(args: readonly string[], kubeconfig = this.#cluster.server.kubeconfig): Promise<Ended> {
    return runToEnd(args, { workingDirectory: this.#folder, env: { KUBECONFIG: kubeconfig } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#policy.stop('the test is over');
    await this.#cluster[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }

  async #makeNode(kubeletPort: number): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
    await this.#cluster.apply(object);
    const daemonEndpoints = { kubeletEndpoint: { Port: kubeletPort } };
    const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
    await this.#cluster.setStatus({ ...object, status: { addresses, daemonEndpoints } });
  }
}

const startOn = async (cluster: RealCluster<ClusterServer>, folder: string): Promise<RunningService> => {
  await writeFile(join(folder, 'ca.crt'), anAuthority({ name: 'root' }).pem);
  const kubeconfig = join(folder, 'policy.kubeconfig');
  const account = { namespace: controlPlane, name: 'gatehouse-policy' };
  await writeFile(kubeconfig, await cluster.kubeconfigWith(await cluster.accountToken(account)));
  const [policy] = await startServices(['policy'], () => ({
    GATEHOUSE_SOURCE: 'kubernetes',
    KUBECONFIG: kubeconfig,
    GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca.crt'),
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_LOG_LEVEL: 'error',
  }));
  if (policy === undefined) throw new TypeError('policy was started');
  for (;;) if ((await ask(`${policy.admin}/ready`)).status === 200) return policy;
};
