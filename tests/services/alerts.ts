import { readFile } from 'node:fs/promises';

/** An alert as docs/alerts.md lists it: `metric op number`, or `increase(metric[1h]) op number`. */
export interface Alert {
  readonly expression: string;
  readonly metric: string;
  readonly operator: '<' | '>' | '==';
  readonly bound: number;
}

const page = new URL('../../docs/alerts.md', import.meta.url);

/** Every row of the table, read or refused: an alert that nobody can evaluate is not checked. */
export const documentedAlerts = async (): Promise<readonly Alert[]> =>
  [...(await readFile(page, 'utf8')).matchAll(/^\| `([^`]+)`/gm)].map(([, expression = '']) =>
    parseAlert(expression),
  );

export const parseAlert = (expression: string): Alert => {
  const match = /^(?:increase\((\w+)\[\w+\]\)|(\w+)) (<|>|==) ([\d.]+)$/.exec(expression);
  if (match === null) throw new TypeError(`docs/alerts.md has an alert of another form: ${expression}`);
  const [, counter, plain, operator, bound] = match;
  return {
    expression,
    metric: counter ?? plain ?? '',
    operator: operator as Alert['operator'],
    bound: Number(bound),
  };
};

/** The values of a metric in the Prometheus text format, one for each of its series. */
export const valuesOf = (metric: string, exposition: string): readonly number[] =>
  exposition.split('\n').flatMap((line) => {
    const [, name, value] = /^(\w+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    return name === metric ? [Number(value)] : [];
  });

const compare: Readonly<Record<Alert['operator'], (value: number, bound: number) => boolean>> = {
  '<': (value, bound) => value < bound,
  '>': (value, bound) => value > bound,
  '==': (value, bound) => value === bound,
};

/** Whether the alert fires for some series; a process that just started has counted its whole value since then. */
export const fires = ({ metric, operator, bound }: Alert, exposition: string): boolean =>
  valuesOf(metric, exposition).some((value) => compare[operator](value, bound));
