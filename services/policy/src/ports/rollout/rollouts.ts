import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { Replicas, Unreached } from '@gatehouse/platform/replicas/replicas';
import { askedAs } from '../../core/inbound/rows/inbound-rows.ts';
import type { Judged } from '../../core/judgement/judgement.ts';
import { countsFor, judgeRollout, type PortWatch, type Rollout } from '../../core/rollout/judge-rollout.ts';
import { type ReachedWorkload, reachWorkloads, workloadKey } from '../../core/rollout/reached-workloads.ts';
import { selectingObjects } from '../../core/rollout/selecting-objects.ts';
import type { PolicyWatch } from '../policy-watch.ts';
import { identityOfWorkload } from '../rest/rest-workload.ts';
import type { RowStreams } from '../row-streams.ts';
import { Turns } from '../turns.ts';
import { type InboundWatches, inboundWatches } from './inbound-watches.ts';

export interface RolloutParts {
  readonly watch: Pick<PolicyWatch, 'index' | 'look' | 'rowKeys'>;
  readonly streams: Pick<RowStreams, 'inbound'>;
  readonly replicas: Replicas;
  readonly mesh: Mesh;
}

/** A rollout, and the replicas whose streams are not in it. */
export interface FoundRollout extends Rollout {
  readonly partial: readonly Unreached[];
}

interface Asked {
  /** Objects in other namespaces are left out: a caller may see some of them only. Default: all. */
  readonly mayShow?: (namespace: string) => Promise<boolean>;
  /** In place of asking all replicas now. */
  readonly watchesIn?: (namespace: string) => Promise<InboundWatches>;
  readonly signal?: AbortSignal;
}

/**
 * Finds out on which proxies a policy object is in force. What a proxy should have is compiled here, from this replica's view of the
 * cluster; what it has is asked of all replicas. Versions are hashes of bytes, so a replica that is behind, or ahead, tells of other
 * versions, and its proxies do not count.
 */
export class Rollouts {
  readonly #parts: RolloutParts;

  constructor(parts: RolloutParts) {
    this.#parts = parts;
  }

  async of(object: Judged, asked: Asked = {}): Promise<FoundRollout> {
    const { mayShow = async () => true, watchesIn = (of) => this.watchesIn(of), signal } = asked;
    const { watch, mesh } = this.#parts;
    const turns = new Turns(signal);
    const reached = new Map<string, ReachedWorkload>();
    const namespaces = new Set<string>();
    for (const selecting of selectingObjects(watch.index, object)) {
      const { namespace } = selecting.meta;
      if (!namespaces.has(namespace) && !(await mayShow(namespace))) continue;
      namespaces.add(namespace);
      reachWorkloads(reached, selecting, { index: watch.index, mesh });
      await turns.next();
    }
    const { watches, partial } = await merged(namespaces, watchesIn);
    const byWorkload = Map.groupBy(watches, ({ kind, namespace, name }) =>
      workloadKey(kind, namespace, name),
    );
    const own = new Map<ReachedWorkload, readonly PortWatch[]>();
    for (const [key, workload] of reached) {
      const { target } = workload;
      const identity = identityOfWorkload(target, mesh);
      const counting = (byWorkload.get(key) ?? []).filter((each) => countsFor(each, { target, identity }));
      own.set(workload, counting);
    }
    const wanted = await this.#wanted(own, { turns, signal });
    const rollout = judgeRollout({
      workloads: [...reached.values()],
      watchesOf: (workload) => own.get(workload) ?? [],
      wanted: (workload, port) => wanted.get(workload)?.get(port),
      isPartial: partial.length > 0,
    });
    return { ...rollout, partial };
  }

  /** By which streams the proxies of a namespace watch their ports, on all replicas. */
  watchesIn(namespace: string): Promise<InboundWatches> {
    return inboundWatches(namespace, this.#parts);
  }

  /** The versions of the rows in force, each compiled once for all that share it. */
  async #wanted(
    watches: ReadonlyMap<ReachedWorkload, readonly PortWatch[]>,
    { turns, signal }: { readonly turns: Turns; readonly signal: AbortSignal | undefined },
  ): Promise<ReadonlyMap<ReachedWorkload, ReadonlyMap<number, string>>> {
    const { watch } = this.#parts;
    const keyOf = watch.rowKeys();
    const versions = new Map<string, string | undefined>();
    const wanted = new Map<ReachedWorkload, Map<number, string>>();
    for (const [workload, own] of watches) {
      const byPort = new Map<number, string>();
      for (const port of new Set(own.map((each) => each.port))) {
        if (!workload.names(port)) continue;
        const { target } = workload;
        const key = keyOf(target, port);
        if (!versions.has(key)) {
          const answer = await watch.look({ ...askedAs(target), port }, signal);
          versions.set(key, answer?.encoded.version);
        }
        const version = versions.get(key);
        if (version !== undefined) byPort.set(port, version);
      }
      wanted.set(workload, byPort);
      await turns.next();
    }
    return wanted;
  }
}

const merged = async (
  namespaces: ReadonlySet<string>,
  watchesIn: (namespace: string) => Promise<InboundWatches>,
): Promise<InboundWatches> => {
  const watches: PortWatch[] = [];
  const partial = new Map<string, Unreached>();
  for (const namespace of namespaces) {
    const found = await watchesIn(namespace);
    for (const watch of found.watches) watches.push(watch);
    for (const unreached of found.partial) partial.set(unreached.replica, unreached);
  }
  return { watches, partial: [...partial.values()] };
};
