import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from '@gatehouse/platform/service/service';

/** Longer than a first full list takes; what is not ready by then needs an operator. */
const patienceMs = 30_000;

/**
 * Waits until each service says that it is ready. Returns what those that did not manage say is missing, a line each;
 * empty when all are ready. Ends early when interrupted.
 */
export const untilReady = async (
  running: readonly RunningService[],
  interrupted: AbortSignal,
): Promise<readonly string[]> => {
  const deadline = performance.now() + patienceMs;
  const waitFor = async ({ service, admin }: RunningService): Promise<readonly string[]> => {
    for (;;) {
      const answer = await fetch(`${admin}/ready`, { signal: interrupted }).catch(() => undefined);
      if (answer?.ok === true || interrupted.aborted) return [];
      const said = (await answer?.text().catch(() => undefined)) ?? 'it does not answer';
      if (performance.now() > deadline) return [`${service} is not ready: ${said.trim()}`];
      await sleep(25, undefined, { signal: interrupted }).catch(() => undefined);
    }
  };
  return (await Promise.all(running.map(waitFor))).flat();
};
