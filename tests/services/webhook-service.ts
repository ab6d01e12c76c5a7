import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceParts } from '@gatehouse/platform/service/service-base';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';

export const controlPlane = 'gatehouse';

interface Wanted {
  readonly objects: readonly WireObject[];
  /** What the mesh trusts, PEM. */
  readonly root: string;
}

/** Replicas of policy on a cluster that calls their webhooks, with the permissions that are shipped and no more. */
export class WebhookService implements AsyncDisposable {
  readonly cluster: RealCluster<ClusterServer>;
  readonly running: RunningService[] = [];
  readonly #serveAt: ClusterWithWebhooks['serveAt'];
  readonly #folder: string;

  private constructor({ cluster, serveAt }: ClusterWithWebhooks, folder: string) {
    this.cluster = cluster;
    this.#serveAt = serveAt;
    this.#folder = folder;
  }

  /** What a test needs is made first, the namespace of the control plane among it. The cluster ends with the service. */
  static async on(opened: ClusterWithWebhooks, { objects, root }: Wanted): Promise<WebhookService> {
    const { cluster } = opened;
    await using begun = new AsyncDisposableStack();
    begun.use(cluster);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-webhooks-'));
    begun.defer(() => rm(folder, { recursive: true, force: true }));
    for (const object of objects) await cluster.apply(object);
    for (const object of await readDeployedRbac()) await cluster.apply(object);
    await writeFile(join(folder, 'ca.crt'), root);
    const token = await cluster.accountToken({ namespace: controlPlane, name: 'gatehouse-policy' });
    await writeFile(join(folder, 'kubeconfig'), await cluster.kubeconfigWith(token));
    begun.move();
    return new WebhookService(opened, folder);
  }

  async start(parts: ServiceParts = {}): Promise<RunningService> {
    const service = await startPolicy(
      readPolicyConfig({
        GATEHOUSE_SOURCE: 'kubernetes',
        KUBECONFIG: join(this.#folder, 'kubeconfig'),
        GATEHOUSE_TRUST_ANCHORS: join(this.#folder, 'ca.crt'),
        GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
        GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
        GATEHOUSE_WEBHOOK_ADDR: '127.0.0.1:0',
      }),
      { log: silentLog, ...parts },
    );
    this.running.push(service);
    return service;
  }

  /** Starts the replica that the API server calls; returns its port. */
  async startCalled(): Promise<number> {
    const { webhook = '' } = await this.start();
    const port = Number(new URL(webhook).port);
    this.#serveAt?.(`127.0.0.1:${port}`);
    // There is no kube-proxy: the API server calls a Service of this type by its name.
    await this.cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: controlPlane, name: 'gatehouse-webhook' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    });
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.running) await service.stop('the test is over');
    await this.cluster[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

/** Asks a webhook itself, as any client that reaches its port can. What certificate it has is a test of its own. */
export const postTo = (
  url: string,
  body: string,
  type = 'application/json',
): Promise<{ readonly code: number; readonly text: string }> => {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; text: string }>();
  const headers = { 'content-type': type };
  const options = { method: 'POST', rejectUnauthorized: false, agent: false, headers };
  const request = httpsRequest(url, options, async (response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
  });
  // A server that has answered may close before all of a long body was sent.
  request.on('error', reject);
  request.end(body);
  return promise;
};
