import type { SoakedProperty } from './properties.ts';

export interface SoakOptions {
  readonly properties: readonly SoakedProperty[];
  /** How often each is tried. */
  readonly runs: number;
  readonly seed: number;
  /** Milliseconds that all may take together. What one leaves is for those after it; what is not tried by then is told. */
  readonly withinMs: number;
  readonly now: () => number;
  readonly tell: (line: string) => void;
}

/** So many cases are tried before anybody looks at the clock. */
const batch = 250;

/** Tries each property; returns the names of those that did not hold, told with the smallest case that shows it. */
export const soakPolicies = ({
  properties,
  runs,
  seed,
  withinMs,
  now,
  tell,
}: SoakOptions): readonly string[] => {
  const failed: string[] = [];
  const end = now() + withinMs;
  for (const [at, { name, check }] of properties.entries()) {
    const start = now();
    const share = (end - start) / (properties.length - at);
    let tried = 0;
    let report: string | undefined;
    while (tried < runs && report === undefined && now() - start < share) {
      const numRuns = Math.min(batch, runs - tried);
      const checked = check({ numRuns, seed: seed + tried });
      tried += checked.tried;
      report = checked.report;
    }
    const seconds = Math.round((now() - start) / 1_000);
    if (report === undefined) {
      const short = tried < runs ? `, not ${runs}: the time was up` : '';
      tell(`held: ${name} (${tried} cases${short}, ${seconds} s)`);
      continue;
    }
    failed.push(name);
    tell(`DOES NOT HOLD: ${name} (after ${tried} cases, ${seconds} s)`);
    tell(report);
  }
  return failed;
};
