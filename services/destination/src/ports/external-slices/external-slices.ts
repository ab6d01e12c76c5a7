import type { Touched } from '@gatehouse/core/resources/resource-index';
import type { Log } from '@gatehouse/platform/log/log';
import { pause } from '@gatehouse/platform/process/pause';
import type { Cluster } from '../../core/cluster.ts';
import { managedBy, managedByLabel, planSlices } from '../../core/external-slices/plan-slices.ts';
import type { SliceStore } from './slice-store.ts';

export interface ExternalSlicesOptions {
  readonly cluster: Cluster;
  readonly store: SliceStore;
  /** Whether this replica is the one that writes; asked before each write. */
  readonly mayWrite: () => boolean;
  readonly log: Log;
  /** Told what came of each write. */
  readonly onWrite?: (result: 'done' | 'failed') => void;
  /** Milliseconds between two looks; bursts of changes are one look. */
  readonly everyMs?: number;
}

const longestBackoffMs = 60_000;

/**
 * Keeps the EndpointSlices of ExternalWorkloads as they should be: after each change, and again when this replica is elected.
 * What fails is tried again, later each time; nothing else waits for it.
 */
export class ExternalSlices {
  readonly #options: Required<ExternalSlicesOptions>;
  #wake: () => void = () => {};
  #isDue = true;

  constructor({ onWrite = () => {}, everyMs = 1_000, ...rest }: ExternalSlicesOptions) {
    this.#options = { onWrite, everyMs, ...rest };
  }

  /** To be called with what each batch touched. */
  touched(touched: readonly Touched[]): void {
    if (touched.some(({ kind }) => concerned.has(kind))) this.due();
  }

  /** Looks again soon; also when this replica has been elected. */
  due(): void {
    this.#isDue = true;
    this.#wake();
  }

  /** Works until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    let failures = 0;
    while (!signal.aborted) {
      if (!this.#isDue) await this.#untilDue();
      if (signal.aborted) return;
      this.#isDue = false;
      const isDone = await this.#look(signal);
      failures = isDone ? 0 : failures + 1;
      if (!isDone) this.#isDue = true;
      await pause(Math.min(this.#options.everyMs * 2 ** failures, longestBackoffMs), signal);
    }
  }

  #untilDue(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  /** One look at every Service that may have such slices. Whether all that was to be written is. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { cluster, mayWrite, log, onWrite } = this.#options;
    let isDone = true;
    for (const step of stepsFor(cluster)) {
      // Another replica writes, and looks itself when it is elected.
      if (!mayWrite() || signal.aborted) return true;
      try {
        await step.write(this.#options.store, signal);
        onWrite('done');
      } catch (error) {
        if (signal.aborted) return true;
        isDone = false;
        onWrite('failed');
        log.warn({ err: error, slice: step.slice }, 'an EndpointSlice of ExternalWorkloads was not written');
      }
    }
    return isDone;
  }
}

const concerned: ReadonlySet<string> = new Set(['ExternalWorkload', 'Service', 'EndpointSlice']);

interface Step {
  readonly slice: string;
  write(store: SliceStore, signal: AbortSignal): Promise<void>;
}

/** What is to be written, additions first: an endpoint that moves is listed twice for a moment, never not at all. */
function* stepsFor({ index }: Cluster): Iterable<Step> {
  const managed = Map.groupBy(
    [...index.all('EndpointSlice')].filter(({ meta }) => meta.labels[managedByLabel] === managedBy),
    ({ meta, spec }) => `${meta.namespace}/${spec.service}`,
  );
  const namespaces = new Set([...index.all('ExternalWorkload')].map(({ meta }) => meta.namespace));
  // A list of its own, since the index changes while slices are written.
  for (const service of [...index.all('Service')]) {
    const { namespace, name } = service.meta;
    const existing = managed.get(`${namespace}/${name}`) ?? [];
    if (existing.length === 0 && !namespaces.has(namespace)) continue;
    const workloads = index.in('ExternalWorkload', namespace).values();
    const { put, remove } = planSlices(service, workloads, existing);
    for (const slice of put)
      yield {
        slice: `${namespace}/${slice.name}`,
        write: (store, signal) => store.put(slice, signal),
      };
    for (const old of remove)
      yield {
        slice: `${namespace}/${old}`,
        write: (store, signal) => store.remove(namespace, old, signal),
      };
  }
  // Slices whose Service is gone are the garbage collector's, by their ownerReferences.
}
