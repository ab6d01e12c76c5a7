import { GatehouseError } from '@gatehouse/core/error';
import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

type Named<C> = Omit<C, 'registers'>;

/** One metric as the reference lists it. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/**
 * The metrics of one service. Names start with `gatehouse_`, with `grpc_server_` and `grpc_client_` for what every gRPC
 * dashboard knows, or, in the reference proxy, with linkerd2-proxy's `inbound_` and `outbound_`; they carry their unit (`_seconds`, `_bytes`), counters end in `_total`, and the label `service` tells
 * the services apart when they share a process.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #definitions: MetricDefinition[] = [];

  constructor(service: string) {
    this.#registry.setDefaultLabels({ service });
  }

  /** Adds those of the process itself (CPU, heap, event loop, garbage collection); once per process is enough. */
  addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<L extends string = never>(definition: Named<CounterConfiguration<L>>): Counter<L> {
    this.#note('counter', definition);
    return new Counter({ ...definition, registers: [this.#registry] });
  }

  /** With `collect`, the value is read at each scrape. */
  gauge<L extends string = never>(definition: Named<GaugeConfiguration<L>>): Gauge<L> {
    this.#note('gauge', definition);
    return new Gauge({ ...definition, registers: [this.#registry] });
  }

  histogram<L extends string = never>(definition: Named<HistogramConfiguration<L>>): Histogram<L> {
    this.#note('histogram', definition);
    return new Histogram({ ...definition, registers: [this.#registry] });
  }

  /** What was made so far, by name; those of the process are not ours and not in it. */
  get definitions(): readonly MetricDefinition[] {
    return this.#definitions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #note(
    type: MetricDefinition['type'],
    {
      name,
      help,
      labelNames = [],
    }: { readonly name: string; readonly help: string; readonly labelNames?: readonly string[] },
  ): void {
    const named = /^(?:gatehouse|grpc_server|grpc_client|inbound|outbound)(?:_[a-z0-9]+)+$/.test(name);
    const counted = (type === 'counter') === name.endsWith('_total');
    const unit = !/_(?:ms|milliseconds|kb|percent)(?:_total)?$/.test(name);
    if (!named || !counted || !unit) {
      throw new GatehouseError('internal', `the metric ${name} breaks the conventions of metrics.ts`);
    }
    this.#definitions.push({ name, type, help, labels: labelNames });
  }
}
