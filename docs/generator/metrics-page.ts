import type { Told } from './running-services.ts';
import { code, page, table } from './table.ts';

export const metricsPage = (told: readonly Told[]): string => {
  const services = new Map<string, string[]>();
  for (const { service, metrics } of told) {
    for (const { name } of metrics) services.set(name, [...(services.get(name) ?? []), service]);
  }
  const rowsOf = (wanted: (services: readonly string[]) => boolean): string[][] => {
    const all = told.flatMap(({ metrics }) => metrics).filter(({ name }) => wanted(services.get(name) ?? []));
    const distinct = new Map(all.map((metric) => [metric.name, metric]));
    return [...distinct.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]);
  };
  const head = ['metric', 'type', 'labels', 'meaning'];
  const shared = (names: readonly string[]): boolean => names.length > 1;
  return page(
    'Metrics',
    'Served at `/metrics` of every admin port in the Prometheus text format. Every series has the label `service`, so that services\n' +
      'can share a process. Those of the process itself (`process_…`, `nodejs_…`) are the usual ones of prom-client.',
    '## Several services',
    table(head, rowsOf(shared)),
    ...told.flatMap(({ service }) => [
      `## ${service}`,
      table(
        head,
        rowsOf((names) => !shared(names) && names.includes(service)),
      ),
    ]),
  );
};
