import { fits, type IssuanceQuery } from './issuance-query.ts';
import { type IssuanceRecord, newestFirst } from './issuance-record.ts';

/**
 * The latest certificates that other replicas issued, a bounded number of them. They outlive the replica that issued them: after a
 * rollout no process is left that had issued what the pods still show.
 */
export class RecordsElsewhere {
  readonly #size: number;
  readonly #records = new Map<string, IssuanceRecord>();
  /** All of them, newest first, until another is learned: a client that pages through them sorts them once. */
  #inOrder: readonly IssuanceRecord[] | undefined;
  #forgottenBefore: number | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  /** Learning one twice does nothing. They come in any order. */
  learn(record: IssuanceRecord): void {
    this.#records.set(record.serial, record);
    this.#inOrder = undefined;
    // Sorted once for many, since sorting for each would cost more than all else.
    if (this.#records.size > this.#size * 1.25) this.#keepNewest();
  }

  /** Newest first. */
  find(query: IssuanceQuery): readonly IssuanceRecord[] {
    return this.#sorted().filter((record) => fits(record, query));
  }

  /** When the oldest that is known was issued; epoch milliseconds. */
  get oldestAt(): number | undefined {
    return this.#sorted().at(-1)?.issuedAt;
  }

  /** What was issued before this may have given way; epoch milliseconds. Undefined while nothing has. */
  get forgottenBefore(): number | undefined {
    return this.#forgottenBefore;
  }

  #keepNewest(): void {
    const sorted = this.#sorted();
    for (const { serial } of sorted.slice(this.#size)) this.#records.delete(serial);
    this.#forgottenBefore = sorted[this.#size - 1]?.issuedAt;
    this.#inOrder = sorted.slice(0, this.#size);
  }

  #sorted(): readonly IssuanceRecord[] {
    this.#inOrder ??= [...this.#records.values()]
      .map((record) => ({ record, key: newestFirst(record) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ record }) => record);
    return this.#inOrder;
  }
}

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
