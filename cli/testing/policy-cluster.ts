import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anAuthority } from '@gatehouse/dev/certificates';
import { startServices } from '@gatehouse/dev/serve/start-services';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { ask } from '@gatehouse/testing/started-admin';
import { type Bound, CliCluster, controlPlane, type OpenedCluster } from './cli-cluster.ts';
import type { Ended } from './run-cli.ts';

/** A real policy service in a cluster that has its Service and its pod, and people with kubeconfigs of their own. */
export class PolicyCluster implements AsyncDisposable {
  readonly #on: CliCluster;
  readonly #policy: RunningService;

  private constructor(on: CliCluster, policy: RunningService) {
    this.#on = on;
    this.#policy = policy;
  }

  static async start(opened: OpenedCluster): Promise<PolicyCluster> {
    const on = await CliCluster.on(opened);
    const policy = await startOn(on).catch(async (error: unknown) => {
      await on[Symbol.asyncDispose]();
      throw error;
    });
    await on.makeService('gatehouse-policy', 'policy');
    const port = Number(new URL(policy.admin).port);
    await on.makePod(
      { namespace: controlPlane, name: 'gatehouse-policy-0', labels: { app: 'policy' } },
      { ports: [{ name: 'admin', containerPort: port }] },
    );
    return new PolicyCluster(on, policy);
  }

  apply(object: WireObject): Promise<WireObject> {
    return this.#on.cluster.apply(object);
  }

  /** A pod that runs; those at 127.0.0.1 can be forwarded to. */
  async makePod(
    metadata: WireObject,
    { ip, ...spec }: WireObject & { readonly ip?: string } = {},
  ): Promise<void> {
    await this.#on.makePod(metadata, spec, ip === undefined ? {} : { ip });
  }

  personWith(name: string, ...roles: readonly Bound[]): Promise<string> {
    return this.#on.personWith(name, ...roles);
  }

  run(args: readonly string[], kubeconfig?: string): Promise<Ended> {
    return this.#on.run(args, kubeconfig);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#policy.stop('the test is over');
    await this.#on[Symbol.asyncDispose]();
  }
}

const startOn = async (on: CliCluster): Promise<RunningService> => {
  const trustAnchors = join(on.folder, 'ca.crt');
  await writeFile(trustAnchors, anAuthority({ name: 'root' }).pem);
  const kubeconfig = await on.serviceKubeconfig('gatehouse-policy');
  const [policy] = await startServices(['policy'], () => ({
    GATEHOUSE_SOURCE: 'kubernetes',
    KUBECONFIG: kubeconfig,
    GATEHOUSE_TRUST_ANCHORS: trustAnchors,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_WEBHOOK_ADDR: '',
    GATEHOUSE_LOG_LEVEL: 'error',
  }));
  if (policy === undefined) throw new TypeError('policy was started');
  for (;;) if ((await ask(`${policy.admin}/ready`)).status === 200) return policy;
};
