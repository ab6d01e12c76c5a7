/** One line of a proxy's /metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the Prometheus text format, of which a proxy uses only this much. */
export const parseMetrics = (text: string): readonly Sample[] =>
  text.split('\n').flatMap((line) => {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) return [];
    const [, name = '', labels = '', value = ''] = match;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    return [
      { name, value: Number(value), labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text])) },
    ];
  });

/** The sum of all samples of that name whose labels have these values; a family that was never counted is 0. */
export const total = (
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): number =>
  samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
