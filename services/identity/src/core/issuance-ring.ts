import { fits, type IssuanceQuery } from './issuance-query.ts';
import type { IssuanceRecord } from './issuance-record.ts';

/** The latest certificates, a bounded number of them: the oldest gives way. */
export class IssuanceRing {
  readonly #size: number;
  readonly #records: IssuanceRecord[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(record: IssuanceRecord): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % this.#size;
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
