import type { LatestStream } from '@gatehouse/platform/grpc/latest-stream';
import type { Said } from '@gatehouse/platform/service/open-streams';
import type { ProfileRow } from './profiles.ts';
import type { Stream } from './session.ts';

/** One GetProfile stream: the latest profile wins, and one that is equal to the last is not sent again. */
export class ProfileStream implements Stream {
  readonly #latest: LatestStream<ProfileRow>;
  readonly #newest: () => ProfileRow;
  #isAdmitted = false;

  constructor(latest: LatestStream<ProfileRow>, newest: () => ProfileRow) {
    this.#latest = latest;
    this.#newest = newest;
  }

  admit(): void {
    this.#isAdmitted = true;
    this.advance();
  }

  advance(): void {
    if (this.#isAdmitted) this.#latest.offer(this.#newest());
  }

  get said(): Said | undefined {
    return this.#latest.sent?.said;
  }
}
