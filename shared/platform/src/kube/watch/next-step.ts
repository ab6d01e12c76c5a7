/** What a list-watch does next. */
export type Step =
  | { readonly kind: 'list' }
  /**
   * Watch what happened after this resourceVersion. `check` = first ask whether the server has come that far: one that
   * came back with an older etcd would answer a version of its future with silence, and that silence would be a lie.
   */
  | { readonly kind: 'watch'; readonly after: string; readonly check: boolean };

/** How a step ended; `why` is for the log. */
export type Outcome =
  | { readonly kind: 'listed'; readonly version: string }
  /** 404 for every version we read: the CRD is not installed. */
  | { readonly kind: 'absent' }
  /** The server ended the watch in order, having told everything up to `version`. */
  | { readonly kind: 'ended'; readonly version: string; readonly livedMs: number }
  /** The connection broke, or showed no life; everything up to `version` was told. */
  | {
      readonly kind: 'cut' | 'silent';
      readonly version: string;
      readonly livedMs: number;
      readonly why: string;
    }
  /** What was asked for is not kept any more (410), nobody can say what happened since (ERROR), or a line makes no sense. */
  | ({ readonly kind: 'expired' | 'rewound' | 'error' | 'unreadable' } & Trouble)
  /** No answer at all: nobody is there, or nobody who talks to us. */
  | ({ readonly kind: 'away' } & Trouble)
  /** An answer that says neither yes nor no: 401, 403, 429, 500, 503. `isBusy` = 429, which asks for patience. */
  | ({ readonly kind: 'failed'; readonly isBusy?: boolean } & Trouble);

interface Trouble {
  readonly why: string;
  /** How long the server asked us to stay away. */
  readonly retryAfterMs?: number | undefined;
}

export interface WatchTimings {
  /** How long anything but a watch may take to be answered; API servers give up after a minute themselves. */
  readonly answerMs: number;
  /** How long a watch is asked to last; its end is a proof of life. Jittered by a tenth. */
  readonly watchMs: number;
  /** How much longer than that it may last before it counts as dead. */
  readonly graceMs: number;
  /** After a watch that lived this long, what went wrong before is forgotten. */
  readonly steadyMs: number;
  /** How often to look whether a CRD has been installed meanwhile. */
  readonly absentMs: number;
  /** How long permissions must be missing before it is said that they are. */
  readonly permissionsMs: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
}

export const usualTimings: WatchTimings = {
  answerMs: 70_000,
  watchMs: 40_000,
  graceMs: 10_000,
  steadyMs: 10_000,
  absentMs: 20_000,
  permissionsMs: 5_000,
  firstBackoffMs: 250,
  maxBackoffMs: 20_000,
};

export interface Plan {
  readonly step: Step;
  readonly waitMs: number;
  /** How many steps in a row have failed. */
  readonly failures: number;
}

export const firstPlan: Plan = { step: { kind: 'list' }, waitMs: 0, failures: 0 };

/** An API server may ask for patience, but not forever. */
const maxRetryAfterMs = 120_000;

/**
 * What to do after a step, and when. `dice` is a random number from 0 to 1: everything that many watchers might do at
 * once is spread, since they all lose the same API server at the same moment.
 */
export const nextStep = (
  { step, failures }: Plan,
  outcome: Outcome,
  { timings, dice }: { readonly timings: WatchTimings; readonly dice: number },
): Plan => {
  const later = (next: Step, { before = failures, retryAfterMs = 0 }): Plan => {
    const longest = Math.min(timings.maxBackoffMs, timings.firstBackoffMs * 2 ** before);
    const asked = Math.min(retryAfterMs, maxRetryAfterMs);
    // Never sooner than the server asked for; how much later is left to the dice.
    return { step: next, waitMs: asked + longest * (0.5 + dice / 2), failures: before + 1 };
  };
  switch (outcome.kind) {
    case 'listed':
      // A list that works proves nothing about the watch after it: only a steady watch ends a row of failures.
      return { step: { kind: 'watch', after: outcome.version, check: false }, waitMs: 0, failures };
    case 'absent':
      return { step: { kind: 'list' }, waitMs: timings.absentMs * (0.75 + dice / 2), failures: 0 };
    case 'ended':
    case 'cut':
    case 'silent': {
      const next: Step = { kind: 'watch', after: outcome.version, check: true };
      const isSteady = outcome.livedMs >= timings.steadyMs;
      if (outcome.kind === 'ended' && isSteady) return { step: next, waitMs: 0, failures: 0 };
      return later(next, { before: isSteady ? 0 : failures });
    }
    // Who was away may come back with another past: an etcd restored from a backup. A moment later its versions may
    // have overtaken ours, and then nothing tells the two apart.
    case 'away':
    case 'expired':
    case 'rewound':
    case 'error':
    case 'unreadable':
      return later({ kind: 'list' }, { retryAfterMs: outcome.retryAfterMs ?? 0 });
    case 'failed':
      return later(step.kind === 'list' ? step : { ...step, check: true }, {
        retryAfterMs: outcome.retryAfterMs ?? 0,
      });
  }
};
