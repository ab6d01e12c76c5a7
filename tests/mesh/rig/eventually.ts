import { setTimeout as sleep } from 'node:timers/promises';

/** Generous, since other work on the machine can slow everything tenfold; what must come sooner says so. */
const patientMs = 60_000;

/** Asks again until there is an answer; throws, with the last reason, when there is none after `withinMs`. */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T | undefined>,
  withinMs = patientMs,
): Promise<T> => {
  const deadline = Date.now() + withinMs;
  let last = '';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}${last}`);
    await sleep(20);
  }
};
