import type { IssuanceQuery } from '../core/issuance-query.ts';
import type { IssuanceIntent, IssuanceRecord } from '../core/issuance-record.ts';
import type { IssuanceLog } from '../recorded-leaf.ts';
import { Issued, type OnSuspicious } from './issued.ts';

/** The issuance log without a file: what was issued since the start, as far as it fits. */
export class MemoryIssuanceLog implements IssuanceLog {
  readonly #issued: Issued;

  constructor(onSuspicious: OnSuspicious = () => {}) {
    this.#issued = new Issued(onSuspicious);
  }

  intend(intent: IssuanceIntent): void {
    this.#issued.add(this.#issued.judge(intent));
  }

  complete(serial: string, leafSha256: string): void {
    this.#issued.complete(serial, leafSha256);
  }

  /** What another replica has issued counts for the keys of the pods. */
  learn(record: IssuanceRecord): void {
    this.#issued.learn(record);
  }

  /** Newest first. */
  find(query: IssuanceQuery): Generator<IssuanceRecord> {
    return this.#issued.find(query);
  }
}
