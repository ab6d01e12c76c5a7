import type { IssuanceLog } from '../../certify/recorded-leaf.ts';
import type { IssuanceQuery } from '../../core/issued/issuance-query.ts';
import type { IssuanceIntent, IssuanceRecord } from '../../core/issued/issuance-record.ts';
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

  /** What another replica has issued. */
  learn(record: IssuanceRecord): void {
    this.#issued.learn(record);
  }

  /** Newest first. */
  find(query: IssuanceQuery): Generator<IssuanceRecord> {
    return this.#issued.find(query);
  }

  /** See Issued. */
  knownSince(startedAt: number): number {
    return this.#issued.knownSince(startedAt);
  }
}
