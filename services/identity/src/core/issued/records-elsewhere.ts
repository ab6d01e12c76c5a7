import { fits, type IssuanceQuery } from './issuance-query.ts';
import { type IssuanceRecord, newestFirst } from './issuance-record.ts';

/**
 * The latest certificates that other replicas issued, a bounded number of them. They outlive the replica that issued them: after a
 * rollout no process is left that had issued what the pods still show.
 */
export class RecordsElsewhere {
  readonly #size: number;
  readonly #records = new Map<string, IssuanceRecord>();

  constructor(size: number) {
    this.#size = size;
  }

  /** Learning one twice does nothing. They come in any order. */
  learn(record: IssuanceRecord): void {
    this.#records.set(record.serial, record);
    // Sorted once for many, since sorting for each would cost more than all else.
    if (this.#records.size > this.#size * 1.25) this.#keepNewest();
  }

  /** Newest first. */
  find(query: IssuanceQuery): readonly IssuanceRecord[] {
    return byTime([...this.#records.values()].filter((record) => fits(record, query)));
  }

  #keepNewest(): void {
    for (const { serial } of byTime([...this.#records.values()]).slice(this.#size))
      this.#records.delete(serial);
  }
}

const byTime = (records: IssuanceRecord[]): readonly IssuanceRecord[] =>
  records.sort((a, b) => (newestFirst(a) < newestFirst(b) ? -1 : 1));

/** Both, newest first; what is in both comes once. Each is sorted already. */
export function* mergeNewestFirst(
  own: Iterable<IssuanceRecord>,
  elsewhere: readonly IssuanceRecord[],
): Generator<IssuanceRecord> {
  let index = 0;
  for (const record of own) {
    const key = newestFirst(record);
    for (; index < elsewhere.length; index += 1) {
      const other = elsewhere[index];
      if (other === undefined || newestFirst(other) > key) break;
      if (other.serial !== record.serial) yield other;
    }
    yield record;
  }
  yield* elsewhere.slice(index);
}
