import type { Clock } from '@gatehouse/platform/process/clock';

export interface FakeClock extends Clock {
  /** Lets time pass; what falls due runs in order, and the event loop goes round as often as anything waits for it. */
  pass(ms: number): void;
  /** The event loop goes round once. */
  turn(): void;
  /** Time passes while something works, so that nothing else runs. */
  work(ms: number): void;
}

/** Time that stands still until a test lets it pass. */
export const aClock = (): FakeClock => {
  let now = 0;
  const due = new Set<{ readonly at: number; readonly run: () => void }>();
  let soon = new Set<() => void>();
  const turn = (): void => {
    const running = soon;
    soon = new Set();
    for (const run of running) run();
  };
  const settle = (): void => {
    while (soon.size > 0) turn();
  };
  return {
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      due.add(timer);
      return () => due.delete(timer);
    },
    soon: (run) => {
      soon.add(run);
      return () => soon.delete(run);
    },
    pass: (ms) => {
      const until = now + ms;
      settle();
      for (;;) {
        const [next] = [...due].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        due.delete(next);
        now = Math.max(now, next.at);
        next.run();
        settle();
      }
      now = Math.max(now, until);
    },
    turn,
    work: (ms) => {
      now += ms;
    },
  };
};
