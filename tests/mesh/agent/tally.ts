import type { Seen, Sighting } from './messages.ts';

/** How much of the log is kept; a scenario of steady calls counts, and reads none of it. */
const kept = 1_000;

/** What the application of this namespace saw: the latest in full, and all of it counted. */
export class Tally {
  #latest: Seen[] = [];
  readonly #counts = new Map<string, { sighting: Omit<Sighting, 'count'>; count: number }>();

  see(seen: Seen): void {
    this.#latest.push(seen);
    if (this.#latest.length > 2 * kept) this.#latest = this.#latest.slice(-kept);
    const { port, at, speaks, headers } = seen;
    const sighting = { port, at, speaks, client: headers['l5d-client-id'] ?? '' };
    const key = Object.values(sighting).join(' ');
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { sighting, count: 1 });
    else known.count += 1;
  }

  /** What was seen since this was last asked. */
  takeLatest(): readonly Seen[] {
    const latest = this.#latest;
    this.#latest = [];
    return latest;
  }

  /** Since the start; asking changes nothing. */
  sightings(): readonly Sighting[] {
    return [...this.#counts.values()].map(({ sighting, count }) => ({ ...sighting, count }));
  }
}
