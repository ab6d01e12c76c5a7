import type { Kind } from '@gatehouse/core/resources/kinds';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { usualTimings } from '@gatehouse/platform/kube/watch/next-step';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { RealCluster } from './real-cluster.ts';
import type { SourceFixture } from './source-contract.ts';

/** What one story of the contract writes on a real API server that many stories share: in the end it is all gone. */
export class ClusterSourceFixture implements SourceFixture {
  readonly source: KubernetesSource;
  readonly #cluster: RealCluster;
  /** By what names it: the uid that the story asked for, and what the server has. */
  readonly #objects = new Map<string, { readonly asked: string; readonly stored: WireObject }>();

  private constructor(cluster: RealCluster) {
    this.#cluster = cluster;
    this.source = new KubernetesSource({
      client: cluster.client,
      log: silentLog,
      metrics: new Metrics('test'),
      // The stories restart the API server more often than anybody else does.
      timings: { ...usualTimings, maxBackoffMs: 1_000 },
    });
  }

  static async open(cluster: RealCluster, objects: readonly WireObject[]): Promise<ClusterSourceFixture> {
    // Without its controller a namespace that was deleted would never go, so it stays.
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
    const fixture = new ClusterSourceFixture(cluster);
    await fixture.write(...objects);
    return fixture;
  }

  /** A server gives uids itself: an object with another uid than before is deleted and made again. */
  async write(...objects: readonly WireObject[]): Promise<void> {
    for (const object of objects) {
      const { uid, ...metadata } = object.metadata as WireObject;
      const before = this.#objects.get(keyOf(object));
      if (before !== undefined && before.asked !== String(uid)) await this.#cluster.remove(object);
      const stored = await this.#cluster.apply({ ...object, metadata });
      this.#objects.set(keyOf(object), { asked: String(uid), stored });
    }
  }

  async remove(...objects: readonly WireObject[]): Promise<void> {
    for (const object of objects) {
      await this.#cluster.remove(object);
      this.#objects.delete(keyOf(object));
    }
  }

  /** While the API server is away, so that no watch can have an event of it. */
  async removeUnseen(object: WireObject): Promise<void> {
    await this.#cluster.server.restart((etcd) => etcd.remove(etcdKeyOf(object)));
    this.#objects.delete(keyOf(object));
  }

  uidOf(object: WireObject): string {
    const { uid } = (this.#objects.get(keyOf(object))?.stored.metadata ?? {}) as { uid?: string };
    return uid ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove(...[...this.#objects.values()].map(({ stored }) => stored));
  }
}

const nameOf = ({ metadata }: WireObject): { readonly namespace?: string; readonly name: string } =>
  metadata as { namespace?: string; name: string };

const keyOf = (object: WireObject): string => {
  const { namespace = '', name } = nameOf(object);
  return `${object.kind}/${namespace}/${name}`;
};

/** Services have a place of their own; of the rest the contract removes none unseen. */
const etcdKeyOf = (object: WireObject): string => {
  const { namespace, name } = nameOf(object);
  if (object.kind !== ('Service' satisfies Kind))
    throw new TypeError(`${object.kind} has another place in etcd`);
  return `/registry/${kindTable.Service.plural}/specs/${namespace}/${name}`;
};
