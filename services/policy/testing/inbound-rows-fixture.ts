import assert from 'node:assert/strict';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { CompileOptions } from '../src/core/inbound/compile-from-index.ts';
import { InboundRows, type WorkloadAsked, type WorkloadPort } from '../src/core/inbound/rows/inbound-rows.ts';
import { RowCompiler, type RowCompilerOptions } from '../src/core/inbound/rows/row-compiler.ts';
import type { EncodedRow, RowUpdate } from '../src/core/inbound/rows/watched-row.ts';
import type { InboundWatch } from '../src/core/inbound/rows/workload-class.ts';
import type { Target } from '../src/core/inbound/workload-of.ts';
import { aClusterConfig } from './a-cluster-config.ts';

/** A row as text, whatever it is encoded as. */
export const print = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner));
const encode = (server: InboundServer): EncodedRow => ({
  bytes: Buffer.from(print(server)),
  version: print(server),
  refresh: true,
});

/** Everything in the index that has a proxy of the mesh. */
export function* workloadsIn({ index }: InboundRowsFixture): Generator<WorkloadAsked> {
  for (const { meta } of index.all('Pod'))
    if (meta.labels['linkerd.io/control-plane-ns'] !== undefined)
      yield { namespace: meta.namespace, pod: meta.name };
  for (const { meta } of index.all('ExternalWorkload'))
    yield { kind: 'external-workload', namespace: meta.namespace, pod: meta.name };
}

export const targetOf = (
  { index }: InboundRowsFixture,
  { kind, namespace, pod: name }: WorkloadAsked,
): Target | undefined =>
  kind === undefined ? index.get('Pod', namespace, name) : index.get('ExternalWorkload', namespace, name);

/** A reader that remembers what it was told. */
export interface Reader {
  readonly versions: string[];
}

/** What is other than in the service; a test strikes out or mutates a part with it. */
export type InboundRowsParts = Pick<RowCompilerOptions, 'kinds' | 'compile'>;

/** The rows behind an index, with readers that hear what the streams of a service would. */
export class InboundRowsFixture {
  readonly index = new ResourceIndex();
  readonly options: CompileOptions = { cluster: aClusterConfig(), matchesRegex: () => false };
  readonly compiler: RowCompiler;
  readonly rows: InboundRows<Reader>;
  readonly watches = new Map<Reader, InboundWatch<Reader>>();

  constructor(parts: InboundRowsParts = {}) {
    const { index, options } = this;
    this.compiler = new RowCompiler({ index, ...options, encode, ...parts });
    this.rows = new InboundRows<Reader>({ index, compiler: this.compiler, mesh: options.cluster.mesh });
  }

  apply(...changes: readonly Change[]): void {
    this.take(...changes);
    this.compile('all');
  }

  /** As `apply`, but what it concerns waits. */
  take(...changes: readonly Change[]): void {
    this.#tell(this.rows.apply(this.index.apply(changes)));
  }

  compile(rows: 'all' | 'one'): void {
    do this.#tell(this.rows.compile(() => rows === 'one'));
    while (rows === 'all' && this.rows.isBehind);
  }

  /** As `one`, for as many rows as a slice without an end would take. */
  compileSlice(): void {
    this.#tell(this.rows.compile(() => false));
  }

  #tell({ sends, gone }: RowUpdate<Reader>): void {
    for (const { encoded, watches } of sends)
      for (const { reader } of watches) reader.versions.push(encoded.version);
    for (const reader of gone) this.watches.delete(reader);
  }

  put(...objects: readonly KubeObject[]): void {
    this.apply(...objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change));
  }

  remove(...objects: readonly KubeObject[]): void {
    this.apply(...objects.map(({ kind, meta }) => ({ type: 'delete', kind, ...meta }) as Change));
  }

  watch(namespace: string, pod: string, port: number): Reader {
    return this.watchWorkload({ namespace, pod, port });
  }

  watchWorkload(asked: WorkloadPort): Reader {
    const reader: Reader = { versions: [] };
    const watch = this.rows.watch(asked, reader);
    assert.ok(watch, `${asked.namespace}/${asked.pod} is expected to be known`);
    const first = this.rows.first(watch);
    if (first !== undefined) reader.versions.push(first.version);
    this.watches.set(reader, watch);
    this.compile('all');
    return reader;
  }

  /** Ends the watch at that place among all; beyond the last it ends none. */
  unwatch(at: number): void {
    const [reader, watch] = [...this.watches][at] ?? [];
    if (reader === undefined || watch === undefined) return;
    this.rows.unwatch(watch);
    this.watches.delete(reader);
  }
}
