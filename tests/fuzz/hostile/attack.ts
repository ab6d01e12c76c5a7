import type { Cleanup } from '@gatehouse/testing/hostile/small-server';

export interface AttackOptions {
  /** How much of it: 1 = as much as `npm run fuzz -- hostile` does. */
  readonly share: number;
  /** The same draws the same cases. */
  readonly seed: number;
  /** Ends what the attack started. */
  readonly cleanup: Cleanup;
}

/** What came of an attack. */
export interface Held {
  /** How many cases were tried. */
  readonly tried: number;
  /** What was seen to hold, with what it says of the cost. */
  readonly held: string;
  /** What did not hold, with what is needed to see it again; none is right. */
  readonly findings: readonly string[];
}

/** One kind of attacker, who does what they can for a bounded number of cases. */
export interface Attack {
  readonly name: string;
  run(options: AttackOptions): Promise<Held>;
}

export interface Measured extends Held {
  readonly seconds: number;
  /** CPU of this process. */
  readonly cpuSeconds: number;
}

/** Runs an attack, and ends what it started. */
export const measure = async (attack: Attack, options: Omit<AttackOptions, 'cleanup'>): Promise<Measured> => {
  const ends: (() => unknown)[] = [];
  const start = performance.now();
  const cpu = process.cpuUsage();
  try {
    const held = await attack.run({ ...options, cleanup: { after: (end) => void ends.push(end) } });
    const { user, system } = process.cpuUsage(cpu);
    return { ...held, seconds: (performance.now() - start) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
  } finally {
    for (const end of ends.reverse()) await end();
  }
};

/** So many of a full run's cases, one at least. */
export const partOf = (full: number, share: number): number => Math.max(1, Math.ceil(full * share));
