import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { type Ended, runToEnd } from './run-cli.ts';

/** A cluster in RBAC mode, and how ports of its pods are forwarded. */
export interface OpenedCluster {
  readonly cluster: RealCluster<ClusterServer>;
  /** The port of a kubelet on loopback; left out for the fake, which connects to a pod's address itself. */
  readonly kubeletPort?: number;
}

/** A role that a user is bound to: in one namespace, or in all. */
export interface Bound {
  readonly role: string;
  readonly kind?: 'Role' | 'ClusterRole';
  readonly namespace?: string;
}

export const controlPlane = 'gatehouse';
const node = 'node-1';

interface RunningPod {
  readonly ip?: string;
  readonly phase?: string;
  readonly ready?: boolean;
}

/** A cluster with the deployed roles, a node, a folder for kubeconfigs, and people who have one of their own. */
export class CliCluster implements AsyncDisposable {
  readonly cluster: RealCluster<ClusterServer>;
  readonly folder: string;

  private constructor(cluster: RealCluster<ClusterServer>, folder: string) {
    this.cluster = cluster;
    this.folder = folder;
  }

  static async on({ cluster, kubeletPort }: OpenedCluster): Promise<CliCluster> {
    for (const name of [controlPlane, 'demo', 'other', 'people'])
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const object of await readDeployedRbac()) await cluster.apply(object);
    const opened = new CliCluster(cluster, await mkdtemp(join(tmpdir(), 'gatehouse-cli-')));
    if (kubeletPort !== undefined) await opened.#makeNode(kubeletPort);
    return opened;
  }

  /** A pod that runs; those at 127.0.0.1 can be forwarded to. `status` as kubelet would say it. */
  async makePod(
    metadata: WireObject,
    { ports = [], ...spec }: WireObject = {},
    status: RunningPod = {},
  ): Promise<WireObject> {
    const containers = [{ name: 'app', image: 'i', ports }];
    const pod = await this.cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { nodeName: node, serviceAccountName: 'default', containers, ...spec },
    });
    await this.setPod(metadata, status);
    return pod;
  }

  /** What kubelet says of a pod. */
  async setPod(
    { namespace, name }: WireObject,
    { ip = '127.0.0.1', phase = 'Running', ready = true }: RunningPod = {},
  ): Promise<void> {
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    await this.cluster.setStatus({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name },
      status: { phase, podIP: ip, podIPs: [{ ip }], conditions },
    });
  }

  /** The headless Service by which a command finds a service of the control plane. */
  async makeService(name: string, app: string): Promise<void> {
    await this.cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: controlPlane, name },
      spec: { clusterIP: 'None', selector: { app }, ports: [{ name: 'grpc', port: 8080 }] },
    });
  }

  /** The path of a kubeconfig of a service of the control plane. */
  async serviceKubeconfig(name: string): Promise<string> {
    return this.#kubeconfigOf({ namespace: controlPlane, name });
  }

  /** The path of a kubeconfig of a new user, a ServiceAccount of the namespace `people` that is bound to these roles. */
  async personWith(name: string, ...roles: readonly Bound[]): Promise<string> {
    const account = { namespace: 'people', name };
    await this.cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    for (const { role, kind = 'ClusterRole', namespace } of roles) {
      await this.cluster.apply({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
        metadata: { name: `${name}-${role}`, ...(namespace === undefined ? {} : { namespace }) },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
        subjects: [{ kind: 'ServiceAccount', ...account }],
      });
    }
    return this.#kubeconfigOf(account);
  }

  get adminKubeconfig(): string {
    return this.cluster.server.kubeconfig;
  }

  /** A command line with a kubeconfig, an administrator's when left out. */
  run(args: readonly string[], kubeconfig = this.adminKubeconfig): Promise<Ended> {
    return runToEnd(args, { workingDirectory: this.folder, env: { KUBECONFIG: kubeconfig } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }

  async #kubeconfigOf(account: { readonly namespace: string; readonly name: string }): Promise<string> {
    const file = join(this.folder, `${account.name}.kubeconfig`);
    await writeFile(file, await this.cluster.kubeconfigWith(await this.cluster.accountToken(account)));
    return file;
  }

  async #makeNode(kubeletPort: number): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
    await this.cluster.apply(object);
    const daemonEndpoints = { kubeletEndpoint: { Port: kubeletPort } };
    const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
    await this.cluster.setStatus({ ...object, status: { addresses, daemonEndpoints } });
  }
}
