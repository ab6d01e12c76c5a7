import type { Moment } from './moment.ts';

/** How long something is good; epoch milliseconds. */
export interface Lifetime {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A clock that was set back makes what was made before it not valid yet: as useless as what has expired. */
export type LifePhase = 'not yet valid' | 'valid' | 'expired';

export const phaseOf = ({ notBefore, notAfter }: Lifetime, now: number): LifePhase => {
  if (now < notBefore) return 'not yet valid';
  return now < notAfter ? 'valid' : 'expired';
};

/** Shares of a life that is left at which people are told, and told again; at the last it is over. */
export const warningShares = [0.2, 0.1, 0.05, 0.01, 0] as const;

export type WarningShare = (typeof warningShares)[number];

const dayMs = 86_400_000;

/** From 1 (new) to 0 (over). */
export const lifeLeft = ({ notBefore, notAfter }: Lifetime, now: number): number =>
  Math.max(0, Math.min(1, (notAfter - now) / Math.max(1, notAfter - notBefore)));

/** The last warning share that has come; undefined while more than a fifth is left. */
export const warningShare = (life: Lifetime, now: number): WarningShare | undefined =>
  warningShares.findLast((share) => lifeLeft(life, now) <= share);

/** What was said last of one thing that ends. */
export interface Told {
  readonly share: WarningShare;
  /** On the clock that only goes forward. */
  readonly at: Moment['elapsed'];
}

/**
 * What to remember if it is to be said now: when another share has come than the one told last, and then once a day. A share
 * is larger than before when the wall clock was set back.
 */
export const tellNow = (
  before: Told | undefined,
  share: WarningShare | undefined,
  elapsed: Moment['elapsed'],
): Told | undefined => {
  if (share === undefined) return undefined;
  const isDue = before === undefined || share !== before.share || elapsed - before.at >= dayMs;
  return isDue ? { share, at: elapsed } : undefined;
};
