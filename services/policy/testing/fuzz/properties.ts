import fc from 'fast-check';
import { auditsDecideNothing, refusalsAreCounted } from '../properties/audits.ts';
import { rowsAreExact } from '../properties/exact-rows.ts';
import { rowsAreNeverStale } from '../properties/never-stale.ts';
import { asItIs, opensNothing } from '../properties/opens-nothing.ts';
import { verdictsAgree } from '../properties/verdicts.ts';
import { grpcRoutedCases, routedCases } from '../random-situation.ts';

export interface SoakedProperty {
  /** What holds, as the end of a sentence. */
  readonly name: string;
  readonly check: (runs: { readonly numRuns: number; readonly seed: number }) => Checked;
}

export interface Checked {
  readonly tried: number;
  /** The smallest case that shows that it does not hold; undefined = it held. */
  readonly report: string | undefined;
}

export const soaked = <Ts>(name: string, property: () => fc.IProperty<Ts>): SoakedProperty => ({
  name,
  check: (runs) => {
    const details = fc.check(property(), runs);
    return {
      tried: details.numRuns,
      report: details.failed ? `${details.errorInstance}\n${fc.defaultReportMessage(details)}` : undefined,
    };
  },
});

/** What `npm run fuzz -- policy` tries, each in turn; the tests of the compiler try the same, fewer times. */
export const policyProperties: readonly SoakedProperty[] = [
  soaked('a proxy gives the verdict that the policies give', () => verdictsAgree()),
  soaked('the same where much depends on routes', () =>
    verdictsAgree({ from: fc.oneof(routedCases, grpcRoutedCases) }),
  ),
  soaked('Audit policies change no decision', () => auditsDecideNothing()),
  soaked('what enforcing Audit policies would refuse is counted', () => refusalsAreCounted()),
  soaked('nothing that cannot be read opens anything', () => opensNothing(asItIs)),
  soaked('after every event each row admits exactly those whom the policies admit', () => rowsAreExact()),
  soaked('no watched row is stale', () => rowsAreNeverStale()),
];
