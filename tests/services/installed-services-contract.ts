import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { untilReady } from '@gatehouse/dev/serve/until-ready';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { makeTrust } from '@gatehouse/identity/ports/issuer/make-ca';
import { startIdentity } from '@gatehouse/identity/service';
import type { Variable } from '@gatehouse/manifests/objects/environment';
import type { KubeObject } from '@gatehouse/manifests/objects/kube-object';
import { renderControlPlane } from '@gatehouse/manifests/render';
import { readShippedRbac } from '@gatehouse/manifests/shipped-rbac';
import { readValues } from '@gatehouse/manifests/values/read-values';
import {
  accountOf,
  type RunningService,
  type ServiceName,
  serviceNames,
} from '@gatehouse/platform/service/service';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import type { ClusterServer, RealCluster } from '@gatehouse/testing/real-cluster';
import { RecordingLog } from '@gatehouse/testing/recording-log';

const namespace = 'mesh-system';
const given = { namespace, trustDomain: 'corp.example', identity: { tokenReviewer: 'jwks' } };

/** Of a container that was rendered. */
interface Container {
  readonly env: readonly Variable[];
}

interface PodTemplate {
  readonly spec: { readonly serviceAccountName: string; readonly containers: readonly [Container] };
}

/**
 * The services as `gatehouse install` would have them run, in a namespace that is not the usual one: started with the environment of
 * their Deployments, the files of its ConfigMap and Secret, and its ServiceAccounts' tokens. Run on the fake API server and on the
 * real one, in RBAC mode.
 */
export const installedServicesContract = (
  name: string,
  {
    skip = false,
    open,
  }: { readonly skip?: string | false; readonly open: () => Promise<RealCluster<ClusterServer>> },
): void => {
  suite(`what is installed on ${name}`, { skip, timeout: 300_000 }, () => {
    const log = new RecordingLog();
    const running = new Map<ServiceName, RunningService>();
    let cluster: RealCluster<ClusterServer>;
    let folder: string;
    let objects: readonly KubeObject[];

    const find = (kind: string, objectName: string): KubeObject => {
      const found = objects.find((object) => object.kind === kind && object.metadata.name === objectName);
      assert.ok(found, `${kind} ${objectName}`);
      return found;
    };

    /** What kubelet mounts: each key of the data is a file. */
    const mount = async (kind: 'ConfigMap' | 'Secret', objectName: string): Promise<void> => {
      for (const [file, text] of Object.entries(find(kind, objectName).data as Record<string, string>)) {
        await writeFile(join(folder, file), kind === 'Secret' ? Buffer.from(text, 'base64') : text);
      }
    };

    /** What differs from a pod: where files are, where identity is found, and that ports are free ones. */
    const environmentOf = async (service: ServiceName): Promise<Record<string, string>> => {
      const account = accountOf(service);
      const { template } = find('Deployment', account).spec as { readonly template: PodTemplate };
      const [{ env }] = template.spec.containers;
      const metadata = { name: `${account}-0`, namespace };
      const pod = await cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        spec: { ...template.spec },
      });
      const file = (end: string): string => join(folder, `${service}.${end}`);
      await writeFile(file('token'), await cluster.token(pod, identityAudience));
      const own = await cluster.accountToken({ namespace, name: account });
      await writeFile(file('kubeconfig'), await cluster.kubeconfigWith(own));
      const written = env.flatMap((one) => ('value' in one ? [[one.name, one.value]] : []));
      return {
        ...Object.fromEntries(written),
        GATEHOUSE_POD_NAME: metadata.name,
        KUBECONFIG: file('kubeconfig'),
        GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca-bundle.crt'),
        GATEHOUSE_ISSUER_DIR: folder,
        GATEHOUSE_TOKEN_FILE: file('token'),
        GATEHOUSE_GRPC_TLS: 'always',
        GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
        GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
        GATEHOUSE_WEBHOOK_ADDR: '127.0.0.1:0',
        ...(service === 'identity' ? {} : { GATEHOUSE_IDENTITY_ADDR: running.get('identity')?.grpc ?? '' }),
      };
    };

    const start = async (service: ServiceName): Promise<RunningService> => {
      const env = await environmentOf(service);
      switch (service) {
        case 'identity':
          return startIdentity(readIdentityConfig(env), { log });
        case 'destination':
          return startDestination(readDestinationConfig(env), { log });
        case 'policy':
          return startPolicy(readPolicyConfig(env), { log });
      }
    };

    before(async () => {
      cluster = await open();
      folder = await mkdtemp(join(tmpdir(), 'gatehouse-installed-'));
      const made = await makeTrust(given.trustDomain, { nowMs: Date.now(), lifetimeMs: 86_400_000 });
      const trust = { anchors: made.root.certificate, issuer: made.issuer };
      objects = renderControlPlane({ ...readValues([given]), trust, shippedRbac: await readShippedRbac() });
      const needed = /^(?:Namespace|ServiceAccount|(?:Cluster)?Role(?:Binding)?|Deployment)$/;
      for (const { kind, ...rest } of objects) if (needed.test(kind)) await cluster.apply({ kind, ...rest });
      await mount('ConfigMap', 'gatehouse-trust-roots');
      await mount('Secret', 'gatehouse-issuer');
    });

    after(async () => {
      for (const service of serviceNames.toReversed()) await running.get(service)?.stop('the test is over');
      await cluster[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    test('each service becomes ready as its own ServiceAccount, and has no reason to complain', async () => {
      for (const service of serviceNames) {
        const started = await start(service);
        running.set(service, started);
        assert.deepEqual(await untilReady([started], AbortSignal.timeout(60_000)), []);
        assert.equal(
          started.name,
          `${accountOf(service)}.mesh-system.serviceaccount.identity.mesh-system.corp.example`,
        );
      }
      assert.deepEqual([log.lines('warn'), log.lines('error')], [[], []]);
    });
  });
};
