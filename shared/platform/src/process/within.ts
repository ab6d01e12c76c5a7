import { GatehouseError } from '@gatehouse/core/error';
import { type Clock, systemClock } from './clock.ts';

export interface Deadline {
  readonly ms: number;
  /** The caller's; the work is told when it aborts, and ends by itself. */
  readonly signal?: AbortSignal;
  /** What is thrown when the time is over. Default: `deadline-exceeded`. */
  readonly late?: () => Error;
  readonly clock?: Pick<Clock, 'after'>;
}

/**
 * Gives `work` so long. When the time is over the signal of the work aborts and this rejects, whether the work listens to
 * its signal or not; both with what `late` returns. Nothing of it is left afterwards.
 */
export const within = async <T>(
  { ms, signal, late = () => notDone(ms), clock = systemClock }: Deadline,
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> => {
  const over = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const forget = clock.after(ms, () => {
    const error = late();
    reject(error);
    over.abort(error);
  });
  try {
    const until = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    return await Promise.race([work(until), promise]);
  } finally {
    forget();
  }
};

const notDone = (ms: number): GatehouseError =>
  new GatehouseError('deadline-exceeded', `not done within ${ms} ms`);
