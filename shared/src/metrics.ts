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

/**
 * The metrics of one service. Every name starts with `gatehouse_` and carries its unit (`_seconds`, `_bytes`), counters
 * end in `_total`, and the label `service` tells the services apart when they share a process.
 */
export class Metrics {
  readonly #registry = new Registry();

  constructor(service: string) {
    this.#registry.setDefaultLabels({ service });
  }

  /** Adds those of the process itself (CPU, heap, event loop, garbage collection); once per process is enough. */
  addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry, prefix: '' });
  }

  counter<L extends string = never>(definition: Named<CounterConfiguration<L>>): Counter<L> {
    return new Counter({ ...definition, registers: [this.#registry] });
  }

  /** With `collect`, the value is read when somebody asks. */
  gauge<L extends string = never>(definition: Named<GaugeConfiguration<L>>): Gauge<L> {
    return new Gauge({ ...definition, registers: [this.#registry] });
  }

  histogram<L extends string = never>(definition: Named<HistogramConfiguration<L>>): Histogram<L> {
    return new Histogram({ ...definition, registers: [this.#registry] });
  }

  /** The Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
