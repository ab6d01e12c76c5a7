import { printTable } from '@gatehouse/cli/print/table';
import { type View, views } from './observer.ts';

export interface Result {
  readonly part: string;
  readonly title: string;
  readonly verdict: 'pass' | 'FAIL';
  readonly seconds: number;
  /** How often each side was asserted on, or why it cannot be. */
  readonly seen: Readonly<Record<View, number | string>>;
  /** What was measured. */
  readonly found: string;
}

/** The one table that a run of the mesh ends with. */
export const printResults = (results: readonly Result[]): string => {
  const passed = results.filter(({ verdict }) => verdict === 'pass').length;
  const rows = results.map(({ part, title, verdict, seconds, seen, found }) => [
    verdict,
    part,
    title,
    `${seconds.toFixed(1)} s`,
    views.map((view) => (typeof seen[view] === 'number' ? seen[view] : 'none')).join(' '),
    found,
  ]);
  const why = results.flatMap(({ part, title, seen }) =>
    views.flatMap((view) =>
      typeof seen[view] === 'string' ? [`no ${view}'s view in "${part}: ${title}": ${seen[view]}`] : [],
    ),
  );
  return [
    printTable(['', 'part', 'scenario', 'took', views.join(' '), 'measured'], rows),
    ...why,
    `${passed} of ${results.length} pass`,
  ].join('\n');
};
