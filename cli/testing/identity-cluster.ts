import type { KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHostPort } from '@gatehouse/core/host-port';
import { aKey, anAuthority } from '@gatehouse/dev/certificates';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { silentLog } from '@gatehouse/platform/log/log';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import type { RunningService } from '@gatehouse/platform/service/service';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { pemOf } from '@gatehouse/platform/tls/material';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { type Ended, runToEnd } from './run-cli.ts';

/** A cluster in RBAC mode, and how ports of its pods are forwarded. */
export interface OpenedCluster {
  readonly cluster: RealCluster<ClusterServer>;
  /** The port of a kubelet on loopback; left out for the fake, which connects to a pod's address itself. */
  readonly kubeletPort?: number;
}

const node = 'node-1';
const controlPlane = 'gatehouse';
const identityPod = { namespace: controlPlane, name: 'gatehouse-identity-0' };

/** A real identity service in a cluster that has its Service and its pod, and people with kubeconfigs of their own. */
export class IdentityCluster implements AsyncDisposable {
  readonly #cluster: RealCluster<ClusterServer>;
  readonly #folder: string;
  readonly #identity: RunningService;

  private constructor(cluster: RealCluster<ClusterServer>, folder: string, identity: RunningService) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#identity = identity;
  }

  static async start({ cluster, kubeletPort }: OpenedCluster): Promise<IdentityCluster> {
    for (const namespace of [controlPlane, 'demo', 'other', 'people']) {
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    }
    for (const object of await readDeployedRbac()) await cluster.apply(object);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-cli-'));
    const identity = await startOn(cluster, folder);
    const started = new IdentityCluster(cluster, folder, identity);
    if (kubeletPort !== undefined) await started.#makeNode(kubeletPort);
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: controlPlane, name: 'gatehouse-identity-headless' },
      spec: { clusterIP: 'None', selector: { app: 'identity' }, ports: [{ name: 'grpc', port: 8080 }] },
    });
    await started.makeIdentityPod();
    return started;
  }

  /** What kubelet says of identity's pod. */
  async setIdentityPod({ phase = 'Running', ready = true } = {}): Promise<void> {
    await this.#cluster.setStatus({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: identityPod,
      status: {
        phase,
        podIP: '127.0.0.1',
        podIPs: [{ ip: '127.0.0.1' }],
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    });
  }

  async makeIdentityPod(port = Number(new URL(this.#identity.admin).port)): Promise<void> {
    await this.#cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...identityPod, labels: { app: 'identity' } },
      spec: {
        nodeName: node,
        containers: [{ name: 'identity', image: 'i', ports: [{ name: 'admin', containerPort: port }] }],
      },
    });
    await this.setIdentityPod();
  }

  async removeIdentityPod(): Promise<void> {
    await this.#cluster.remove({ apiVersion: 'v1', kind: 'Pod', metadata: identityPod });
  }

  apply(object: WireObject): Promise<WireObject> {
    return this.#cluster.apply(object);
  }

  remove(object: WireObject): Promise<void> {
    return this.#cluster.remove(object);
  }

  /** Makes a pod, unless it is there, and a certificate for it, as its proxy would. */
  async certify(
    namespace: string,
    name: string,
    { proxyPort = 4191, labels = {}, key = aKey() }: CertifiedPod = {},
  ): Promise<TlsMaterial> {
    await this.#cluster.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: 'web' },
    });
    const metadata = { namespace, name, labels };
    const ports = [{ name: 'linkerd-admin', containerPort: proxyPort }];
    const pod = await this.#cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { nodeName: node, serviceAccountName: 'web', containers: [{ name: 'proxy', image: 'i', ports }] },
    });
    const status = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
    await this.#cluster.setStatus({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, status });
    const address = parseHostPort(this.#identity.grpc);
    if (!address.ok) throw new TypeError(this.#identity.grpc);
    const { chain } = await certify({
      server: { address: address.value, security: 'plaintext' },
      trustAnchors: await readFile(join(this.#folder, 'ca.crt'), 'utf8'),
      name: `web.${namespace}.serviceaccount.identity.${controlPlane}.cluster.local`,
      key,
      token: Buffer.from(await this.#cluster.token(pod, identityAudience)),
    });
    return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: chain.map(pemOf).join('') };
  }

  /** The path of a kubeconfig of somebody new, a ServiceAccount of the namespace `people` that is bound to these roles. */
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

  get adminKubeconfig(): string {
    return this.#cluster.server.kubeconfig;
  }

  /** A command line with a kubeconfig, an administrator's when left out. */
  run(args: readonly string[], kubeconfig = this.adminKubeconfig): Promise<Ended> {
    return runToEnd(args, { workingDirectory: this.#folder, env: { KUBECONFIG: kubeconfig } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#identity.stop('the test is over');
    await this.#cluster[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }

  async #makeNode(kubeletPort: number): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
    await this.#cluster.apply(object);
    await this.#cluster.setStatus({
      ...object,
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
      },
    });
  }
}

/** What matters of a pod that is certified. */
export interface CertifiedPod {
  readonly proxyPort?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** A new one when left out. */
  readonly key?: KeyObject;
}

/** Key and certificate chain in PEM. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
}

/** A role that somebody is bound to: in one namespace, or in all. */
export interface Bound {
  readonly role: string;
  readonly kind?: 'Role' | 'ClusterRole';
  readonly namespace?: string;
}

const startOn = async (cluster: RealCluster<ClusterServer>, folder: string): Promise<RunningService> => {
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  await writeFile(join(folder, 'tls.crt'), issuer.pem);
  await writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(join(folder, 'ca.crt'), root.pem);
  const account = { namespace: controlPlane, name: 'gatehouse-identity' };
  const kubeconfig = join(folder, 'identity.kubeconfig');
  await writeFile(kubeconfig, await cluster.kubeconfigWith(await cluster.accountToken(account)));
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'kubernetes',
    KUBECONFIG: kubeconfig,
    GATEHOUSE_ISSUER_DIR: folder,
    GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca.crt'),
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  });
  return startIdentity(config, { log: silentLog });
};
