import { fits, type IssuanceQuery } from './issuance-query.ts';
import type { IssuanceRecord } from './issuance-record.ts';

/**
 * The latest certificates, a bounded number of them: the oldest gives way. Every question walks over all: for 20,000 that
 * takes a few milliseconds, and only people ask. Indexes would cost every certificate something.
 */
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

  /**
   * Adds the hash of the certificate to its record, if that is still here. Looks from the newest on: it is signed moments
   * after it was added, so this is cheaper than to know the place of each.
   */
  complete(serial: string, leafSha256: string): void {
    for (let back = 1; back <= this.#records.length; back += 1) {
      const place = this.#placeOf(back);
      const record = this.#records[place];
      if (record?.serial !== serial) continue;
      this.#records[place] = { ...record, leafSha256 };
      return;
    }
  }

  /** Newest first. */
  *find(query: IssuanceQuery): Generator<IssuanceRecord> {
    const count = this.#records.length;
    for (let back = 1; back <= count; back += 1) {
      const record = this.#records[this.#placeOf(back)];
      if (record !== undefined && fits(record, query)) yield record;
    }
  }

  /** When the oldest that is known was issued; epoch milliseconds. */
  get oldestAt(): number | undefined {
    return this.#records[this.#placeOf(this.#records.length)]?.issuedAt;
  }

  /** What was issued before this may have given way; epoch milliseconds. Undefined while nothing has. */
  get forgottenBefore(): number | undefined {
    return this.#records.length < this.#size ? undefined : this.oldestAt;
  }

  /** Of the newest for 1, of the one before it for 2. */
  #placeOf(back: number): number {
    return (this.#next - back + this.#size) % this.#size;
  }
}
