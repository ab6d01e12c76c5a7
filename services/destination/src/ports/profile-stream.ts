import type { LatestStream, Row } from '@gatehouse/platform/grpc/latest-stream';
import { versionOf } from '@gatehouse/platform/grpc/row-version';
import type { Stream } from './session.ts';

/** One GetProfile stream: the latest profile wins, and one that is equal to the last is not sent again. */
export class ProfileStream implements Stream {
  readonly #latest: LatestStream<Row>;
  readonly #newest: () => Row;
  #isAdmitted = false;

  constructor(latest: LatestStream<Row>, newest: () => Row) {
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

  get version(): string | undefined {
    const { sent } = this.#latest;
    return sent === undefined ? undefined : versionOf(sent.bytes);
  }
}
