import type { KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
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
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { type Bound, CliCluster, controlPlane, type OpenedCluster } from './cli-cluster.ts';
import type { Ended } from './run-cli.ts';

const identityPod = { namespace: controlPlane, name: 'gatehouse-identity-0' };

/** A real identity service in a cluster that has its Service and its pod, and people with kubeconfigs of their own. */
export class IdentityCluster implements AsyncDisposable {
  readonly #on: CliCluster;
  readonly #identity: RunningService;

  private constructor(on: CliCluster, identity: RunningService) {
    this.#on = on;
    this.#identity = identity;
  }

  static async start(opened: OpenedCluster): Promise<IdentityCluster> {
    const on = await CliCluster.on(opened);
    const started = new IdentityCluster(on, await startOn(on));
    await on.makeService('gatehouse-identity-headless', 'identity');
    await started.makeIdentityPod();
    return started;
  }

  /** What kubelet says of identity's pod. */
  setIdentityPod(status: { readonly phase?: string; readonly ready?: boolean } = {}): Promise<void> {
    return this.#on.setPod(identityPod, status);
  }

  async makeIdentityPod(port = Number(new URL(this.#identity.admin).port)): Promise<void> {
    await this.#on.makePod(
      { ...identityPod, labels: { app: 'identity' } },
      { ports: [{ name: 'admin', containerPort: port }] },
    );
  }

  async removeIdentityPod(): Promise<void> {
    await this.#on.cluster.remove({ apiVersion: 'v1', kind: 'Pod', metadata: identityPod });
  }

  apply(object: WireObject): Promise<WireObject> {
    return this.#on.cluster.apply(object);
  }

  remove(object: WireObject): Promise<void> {
    return this.#on.cluster.remove(object);
  }

  /** Makes a pod, unless it is there, and a certificate for it, as its proxy would. */
  async certify(
    namespace: string,
    name: string,
    { proxyPort = 4191, labels = {}, key = aKey() }: CertifiedPod = {},
  ): Promise<TlsMaterial> {
    const account = { namespace, name: 'web' };
    await this.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    const pod = await this.#on.makePod(
      { namespace, name, labels },
      { serviceAccountName: 'web', ports: [{ name: 'linkerd-admin', containerPort: proxyPort }] },
    );
    const address = parseHostPort(this.#identity.grpc);
    if (!address.ok) throw new TypeError(this.#identity.grpc);
    const { chain } = await certify({
      server: { address: address.value, security: 'plaintext' },
      trustAnchors: await readFile(join(this.#on.folder, 'ca.crt'), 'utf8'),
      name: `web.${namespace}.serviceaccount.identity.${controlPlane}.cluster.local`,
      key,
      token: Buffer.from(await this.#on.cluster.token(pod, identityAudience)),
    });
    return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: chain.map(pemOf).join('') };
  }

  personWith(name: string, ...roles: readonly Bound[]): Promise<string> {
    return this.#on.personWith(name, ...roles);
  }

  get adminKubeconfig(): string {
    return this.#on.adminKubeconfig;
  }

  run(args: readonly string[], kubeconfig?: string): Promise<Ended> {
    return this.#on.run(args, kubeconfig);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#identity.stop('the test is over');
    await this.#on[Symbol.asyncDispose]();
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

const startOn = async (on: CliCluster): Promise<RunningService> => {
  const { folder } = on;
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  await writeFile(join(folder, 'tls.crt'), issuer.pem);
  await writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(join(folder, 'ca.crt'), root.pem);
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'kubernetes',
    KUBECONFIG: await on.serviceKubeconfig('gatehouse-identity'),
    GATEHOUSE_ISSUER_DIR: folder,
    GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca.crt'),
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  });
  return startIdentity(config, { log: silentLog });
};
