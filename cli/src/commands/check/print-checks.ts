import type { Terminal } from '../../print/terminal.ts';
import { wrap } from '../../print/wrap.ts';
import { anchorOf, type Checked, count, type Status } from './finding.ts';

const order = ['ok', 'skipped', 'warning', 'failed'] as const satisfies readonly Status[];
const styles = { ok: 'green', skipped: 'dim', warning: 'yellow', failed: 'red' } as const;

/** One verdict over all. */
export const worst = (checked: readonly Checked[]): Status =>
  order[Math.max(0, ...checked.map(({ status }) => order.indexOf(status)))] ?? 'ok';

/** The page that says more about a finding that is not ok. */
const seeOf = ({ name }: Checked): string => `docs/troubleshooting.md#${anchorOf(name)}`;

const verdicts = {
  before: {
    ok: 'Ready for gatehouse install',
    warning: 'Ready for gatehouse install, with warnings',
    failed: 'Not ready for gatehouse install',
  },
  after: { ok: 'All is well', warning: 'The mesh works, with warnings', failed: 'The mesh needs you' },
} as const;

const verdictOf = (checked: readonly Checked[], when: keyof typeof verdicts): string => {
  const of = (status: Status): number => checked.filter((one) => one.status === status).length;
  const [bad, warned, left] = [of('failed'), of('warning'), of('skipped')];
  const parts = [
    ...(bad > 0 ? [`${bad} failed`] : []),
    ...(warned > 0 ? [count(warned, 'warning')] : []),
    ...(left > 0 ? [`${left} skipped`] : []),
    `${of('ok')} ok`,
  ];
  const verdict = bad > 0 ? 'failed' : warned > 0 ? 'warning' : 'ok';
  return `${verdicts[when][verdict]}: ${parts.join(', ')}.`;
};

type Place = Pick<Terminal, 'paint' | 'columns'> & { readonly when: keyof typeof verdicts };

const wide = Math.max(...order.map((status) => status.length)) + 2;

const linesOf = (one: Checked, { paint, columns }: Place): readonly string[] => {
  const pad = ' '.repeat(wide);
  const under = (text: string): readonly string[] => wrap(text, Math.max(40, columns - wide)).split('\n');
  const [first = '', ...more] = under(one.found);
  return [
    `${paint(styles[one.status], one.status.padEnd(wide))}${first}`,
    ...more.map((line) => `${pad}${line}`),
    ...('fix' in one ? under(`→ ${one.fix}`).map((line) => `${pad}${line}`) : []),
    ...('fix' in one ? [`${pad}${paint('dim', seeOf(one))}`] : []),
  ];
};

export const printChecks = (checked: readonly Checked[], place: Place): string => {
  const sections = [...Map.groupBy(checked, ({ section }) => section)];
  const blocks = sections.map(([title, some]) =>
    [place.paint('bold', title), ...some.flatMap((one) => linesOf(one, place))].join('\n'),
  );
  return [...blocks, verdictOf(checked, place.when)].join('\n\n');
};

/** What an operator has to act on, and the verdict. */
export const printShort = (checked: readonly Checked[], place: Place): string =>
  [
    ...checked
      .filter(({ status }) => status === 'warning' || status === 'failed')
      .flatMap((one) => linesOf(one, place)),
    verdictOf(checked, place.when),
  ].join('\n');

export const jsonOf = (checked: readonly Checked[]) => ({
  verdict: worst(checked),
  checks: checked.map((one) => ('fix' in one ? { ...one, see: seeOf(one) } : one)),
});
