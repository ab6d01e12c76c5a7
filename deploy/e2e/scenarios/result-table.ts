import { printTable } from '@gatehouse/cli/table';

export interface Result {
  readonly part: string;
  readonly title: string;
  readonly verdict: 'pass' | 'FAIL';
  readonly seconds: number;
  /** What was measured. */
  readonly found: string;
}

/** The one table that a run of the mesh ends with. */
export const printResults = (results: readonly Result[]): string => {
  const passed = results.filter(({ verdict }) => verdict === 'pass').length;
  const rows = results.map(({ part, title, verdict, seconds, found }) => [
    verdict,
    part,
    title,
    `${seconds.toFixed(1)} s`,
    found,
  ]);
  return `${printTable(['', 'part', 'scenario', 'took', 'measured'], rows)}\n${passed} of ${results.length} pass`;
};
