/** Time as waiting needs it; tests move it by hand. */
export interface Clock {
  /** Milliseconds that only go forward. */
  now(): number;
  /** Calls `run` once, later; the function that comes back forgets it. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` once, when the event loop has gone round; the function that comes back forgets it. */
  soon(run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  },
};
