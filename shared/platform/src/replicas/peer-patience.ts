import type { Unreached } from './replicas.ts';

/** A replica that starts or is being shut down is out of reach for less than this, and needs no operator. */
export const patienceMs = 60_000;

/** Which replicas are out of reach for longer than a rollout takes. */
export class PeerPatience {
  readonly #elapsed: () => number;
  #since: ReadonlyMap<string, number> = new Map();

  /** `elapsed`: milliseconds on a clock that only goes forward. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** Takes note of all that one question did not reach, and returns those that are worth a warning. */
  judge(unreached: readonly Unreached[]): readonly Unreached[] {
    const now = this.#elapsed();
    this.#since = new Map(unreached.map(({ replica }) => [replica, this.#since.get(replica) ?? now]));
    return unreached.filter(({ replica }) => now - (this.#since.get(replica) ?? now) >= patienceMs);
  }
}
