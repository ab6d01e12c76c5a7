import { fits, type IssuanceQuery } from './issuance-query.ts';
import type { IssuanceRecord } from './issuance-record.ts';

/**
 * The latest certificates, a bounded number of them: the oldest gives way. Every question walks over all: for 20,000 that
 * takes a few milliseconds, and only people ask. Indexes would cost every certificate something.
 */
export class IssuanceRing {
  readonly #size: number;
  readonly #records: IssuanceRecord[] = [];
  readonly #places = new Map<string, number>();
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(record: IssuanceRecord): void {
    const oldest = this.#records[this.#next];
    if (oldest !== undefined && this.#places.get(oldest.serial) === this.#next)
      this.#places.delete(oldest.serial);
    this.#records[this.#next] = record;
    this.#places.set(record.serial, this.#next);
    this.#next = (this.#next + 1) % this.#size;
  }

  /** Adds the hash of the certificate to its record, if that is still here. */
  complete(serial: string, leafSha256: string): void {
    const place = this.#places.get(serial);
    const record = place === undefined ? undefined : this.#records[place];
    if (place !== undefined && record !== undefined) this.#records[place] = { ...record, leafSha256 };
  }

  /** Newest first. */
  *find(query: IssuanceQuery): Generator<IssuanceRecord> {
    const count = this.#records.length;
    for (let back = 1; back <= count; back += 1) {
      const record = this.#records[(this.#next - back + this.#size) % this.#size];
      if (record !== undefined && fits(record, query)) yield record;
    }
  }
}
