import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import type { EncodedRow, RowSend, RowUpdate, RowWatch, WatchedRow } from '../inbound/rows/watched-row.ts';
import { compileOutbound, destinationName, type OutboundConfig } from './compile.ts';
import type { OutboundPolicy } from './model.ts';
import { ServiceAddresses } from './service-addresses.ts';
import type { OutboundTarget } from './target.ts';

type Service = KubeObject<'Service'>;

export interface OutboundRow {
  readonly policy: OutboundPolicy;
  readonly encoded: EncodedRow;
}

export interface OutboundRowsOptions {
  readonly index: ResourceIndex;
  readonly config: OutboundConfig;
  readonly encode: (policy: OutboundPolicy) => EncodedRow;
}

/** What is watched of one Service: a row per port, shared by all its readers. */
interface WatchedService<R> {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly rows: Map<number, WatchedRow<R>>;
  readonly watches: Set<OutboundWatch<R>>;
}

export interface OutboundWatch<R> extends RowWatch<R> {
  readonly target: OutboundTarget;
  readonly service: WatchedService<R>;
  readonly row: WatchedRow<R>;
}

/** The rows that clients watch, compiled when first asked for and dropped with their last reader. */
export class OutboundRows<R> {
  readonly #options: OutboundRowsOptions;
  readonly #addresses = new ServiceAddresses();
  readonly #watched = new Map<string, WatchedService<R>>();

  constructor(options: OutboundRowsOptions) {
    this.#options = options;
  }

  get size(): number {
    let size = 0;
    for (const { rows } of this.#watched.values()) size += rows.size;
    return size;
  }

  knows(target: OutboundTarget): boolean {
    return this.#resolve(target) !== undefined;
  }

  /** What a client of the target is told; undefined when no Service answers to it. */
  look(target: OutboundTarget): OutboundRow | undefined {
    const service = this.#resolve(target);
    return service === undefined ? undefined : this.#compile(service, target.port);
  }

  /** The watch's row holds what to send first. Undefined when no Service answers to the target. */
  watch(target: OutboundTarget, reader: R): OutboundWatch<R> | undefined {
    const object = this.#resolve(target);
    if (object === undefined) return undefined;
    const service = this.#watchedService(object);
    let row = service.rows.get(target.port);
    if (row === undefined) {
      row = { encoded: this.#compile(object, target.port).encoded, watches: new Set() };
      service.rows.set(target.port, row);
    }
    const watch = { reader, row, target, service };
    row.watches.add(watch);
    service.watches.add(watch);
    return watch;
  }

  unwatch(watch: OutboundWatch<R>): void {
    const { service, row, target } = watch;
    if (!row.watches.delete(watch)) return;
    service.watches.delete(watch);
    if (row.watches.size === 0) service.rows.delete(target.port);
    if (service.watches.size === 0) this.#watched.delete(service.key);
  }

  /** Brings every watched row up to date with what a batch changed in the index. */
  refresh(touched: readonly Touched[]): RowUpdate<R> {
    const concerned = new Set<string>();
    for (const change of touched) {
      if (change.kind !== 'Service') continue;
      const { before, after } = change as Touched<'Service'>;
      for (const other of this.#addresses.replace(before, after)) concerned.add(keyOf(other));
      for (const state of [before, after]) if (state !== undefined) concerned.add(keyOf(state));
    }
    const sends: RowSend<R>[] = [];
    const gone: R[] = [];
    for (const key of concerned) {
      const service = this.#watched.get(key);
      if (service === undefined) continue;
      for (const watch of [...service.watches]) {
        const object = this.#resolve(watch.target);
        if (object !== undefined && keyOf(object) === key) continue;
        this.unwatch(watch);
        gone.push(watch.reader);
      }
      const object = this.#options.index.get('Service', service.namespace, service.name);
      if (object === undefined) continue;
      for (const [port, row] of service.rows) {
        const { encoded } = this.#compile(object, port);
        if (encoded.version === row.encoded.version) continue;
        row.encoded = encoded;
        sends.push({ encoded, watches: row.watches });
      }
    }
    return { sends, gone };
  }

  #watchedService({ meta: { namespace, name } }: Service): WatchedService<R> {
    const key = `${namespace}/${name}`;
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const fresh: WatchedService<R> = { key, namespace, name, rows: new Map(), watches: new Set() };
    this.#watched.set(key, fresh);
    return fresh;
  }

  #resolve(target: OutboundTarget): Service | undefined {
    const { index, config } = this.#options;
    const service =
      target.kind === 'address'
        ? this.#addresses.holder(target.ip)
        : index.get('Service', target.namespace, target.name);
    // A headless Service or an ExternalName has no address of its own that policy could stand for; and a name that is
    // none, which only a manifest outside Kubernetes can have, would panic the proxy as a destination.
    return service !== undefined &&
      service.spec.clusterIps.length > 0 &&
      isDnsName(destinationName(service, config.clusterDomain))
      ? service
      : undefined;
  }

  #compile(service: Service, port: number): OutboundRow {
    const policy = compileOutbound(service, port, this.#options.config);
    return { policy, encoded: this.#options.encode(policy) };
  }
}

const keyOf = ({ meta }: Service): string => `${meta.namespace}/${meta.name}`;
