import type { TestContext } from 'node:test';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { anAuthority, aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import type { AdminOptions, AdminServer } from '@gatehouse/platform/admin/admin-server';
import { kubeClientAt } from '@gatehouse/platform/kube/client/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { ClusterReplicas } from '@gatehouse/platform/replicas/cluster-replicas';
import { PeerClient, type PeerClientOptions } from '@gatehouse/platform/replicas/peer-client';
import { PeerDirectory } from '@gatehouse/platform/replicas/peer-directory';
import { peerMetrics } from '@gatehouse/platform/replicas/peer-metrics';
import type { TlsMaterial } from '@gatehouse/platform/tls/material';
import { startedAdmin } from './started-admin.ts';
import { aWireObject } from './wire-objects.ts';

export const policyName = 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local';

/** On a busy machine a good answer may take long; tests of slow peers say their own. */
const patientMs = 30_000;

/** What the EndpointSlice controller writes for one pod of the Service with the admin ports. */
export const sliceOf = (
  pod: string,
  {
    service = 'gatehouse-policy-admin',
    address,
    ports,
  }: {
    readonly service?: string;
    readonly address: string;
    readonly ports: Readonly<Record<string, number>>;
  },
): WireObject =>
  aWireObject('EndpointSlice', {
    name: `${service}-${pod}`,
    namespace: 'gatehouse',
    metadata: { labels: { 'kubernetes.io/service-name': service } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    ports: Object.entries(ports).map(([name, port]) => ({ name, port, protocol: 'TCP' })),
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', namespace: 'gatehouse', name: pod },
      },
    ],
  });

/** One replica of policy: its admin port, and how it sees the others. */
export interface TestReplica {
  readonly pod: string;
  readonly admin: AdminServer;
  readonly replicas: ClusterReplicas;
  readonly metrics: Metrics;
  readonly port: number;
}

/** Replicas of one service on loopback that find each other through a fake API server. */
export class ReplicaSet {
  readonly api: FakeApiServer;
  readonly root: TestAuthority = anAuthority({ name: 'root' });
  readonly #t: TestContext;

  private constructor(t: TestContext, api: FakeApiServer) {
    this.#t = t;
    this.api = api;
  }

  static async start(t: TestContext): Promise<ReplicaSet> {
    const api = await startFakeApiServer();
    t.after(() => api.stop());
    return new ReplicaSet(t, api);
  }

  /** A key and a leaf of the name that all replicas have. */
  material(): TlsMaterial {
    return aTlsMaterial(this.root, { name: policyName });
  }

  async add(
    pod: string,
    options: Partial<AdminOptions> & {
      readonly host?: string;
      readonly calls?: Partial<PeerClientOptions>;
      /** How long a list of replicas is good. Default: always asked again. */
      readonly keepMs?: number;
      readonly elapsed?: () => number;
    } = {},
  ): Promise<TestReplica> {
    const {
      host = '127.0.0.1',
      calls = {},
      keepMs = 0,
      log = silentLog,
      elapsed = () => performance.now(),
      ...more
    } = options;
    const { api } = this;
    const kube = kubeClientAt(api.url);
    const metrics = new Metrics('policy');
    const directory = new PeerDirectory({
      client: kube,
      namespace: 'gatehouse',
      service: 'gatehouse-policy-admin',
      self: pod,
      adminPort: 9997,
      keepMs,
      timeoutMs: patientMs,
      now: Date.now,
    });
    const replicas = new ClusterReplicas({
      name: pod,
      meshName: policyName,
      directory,
      client: new PeerClient({ name: policyName, timeoutMs: patientMs, ...calls }),
      metrics: peerMetrics(metrics, () => directory.last.peers.length),
      log,
      elapsed,
    });
    this.#t.after(() => {
      replicas.close();
      kube.close();
    });
    const address = { host, port: 0 };
    const admin = await startedAdmin(this.#t, { now: Date.now, address, replicas, metrics, ...more });
    admin.replaceTlsMaterial(this.material());
    const port = Number(new URL(admin.url).port);
    api.put(sliceOf(pod, { address: host, ports: { admin: port } }));
    return { pod, admin, replicas, metrics, port };
  }
}
