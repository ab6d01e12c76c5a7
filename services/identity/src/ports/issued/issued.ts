import type { IssuanceQuery } from '../../core/issued/issuance-query.ts';
import type { IssuanceIntent, IssuanceRecord } from '../../core/issued/issuance-record.ts';
import { IssuanceRing } from '../../core/issued/issuance-ring.ts';
import { PodKeys } from '../../core/issued/pod-keys.ts';
import { mergeNewestFirst, RecordsElsewhere } from '../../core/issued/records-elsewhere.ts';

/** About 12 MB: the latest certificates of a mesh of 5,000 workloads for two days. Once for our own, once for others'. */
export const ringSize = 20_000;

/** Called for each certificate of a key that its pod had left. */
export type OnSuspicious = (record: IssuanceRecord) => void;

/** What is known in memory of what was issued: the latest records, and the keys of the pods. */
export class Issued {
  readonly #ring = new IssuanceRing(ringSize);
  readonly #elsewhere = new RecordsElsewhere(ringSize);
  readonly #keys = new PodKeys();
  readonly #onSuspicious: OnSuspicious;

  constructor(onSuspicious: OnSuspicious) {
    this.#onSuspicious = onSuspicious;
  }

  /** The record to be made of an intent. Its pod has proved its key: that use counts whether or not the record can be kept. */
  judge(intent: IssuanceIntent): IssuanceRecord {
    return { ...intent, leafSha256: undefined, suspicious: this.#note(intent) };
  }

  add(record: IssuanceRecord): void {
    this.#ring.add(record);
    if (record.suspicious !== undefined) this.#onSuspicious(record);
  }

  /** What an earlier process had recorded, and told, already. */
  remember(record: IssuanceRecord): void {
    this.#note(record);
    this.#ring.add(record);
  }

  /** What another replica has issued, or has learned itself: it counts for the keys of the pods, and is found when that one is gone. */
  learn(record: IssuanceRecord): void {
    this.#elsewhere.learn(record);
    const { pod, spkiSha256, issuedAt: at } = record;
    if (pod !== undefined) this.#keys.learn({ podUid: pod.uid, spkiSha256, at });
  }

  complete(serial: string, leafSha256: string): void {
    this.#ring.complete(serial, leafSha256);
  }

  /** Newest first. */
  find(query: IssuanceQuery): Generator<IssuanceRecord> {
    return mergeNewestFirst(this.#ring.find(query), this.#elsewhere.find(query));
  }

  /**
   * From when on everything that was issued is here, as far as this replica was told; epoch milliseconds. `startedAt` is when
   * it began to remember. What reaches further back on one side does not make up for what the other has forgotten.
   */
  knownSince(startedAt: number): number {
    const sides = [this.#ring, this.#elsewhere];
    const oldest = Math.min(startedAt, ...sides.map(({ oldestAt = startedAt }) => oldestAt));
    return Math.max(oldest, ...sides.map(({ forgottenBefore = oldest }) => forgottenBefore));
  }

  /** Tokens without pod are shared by many workloads, and we ourselves take a new key each time. */
  #note({ pod, spkiSha256, issuedAt: at }: IssuanceIntent): IssuanceRecord['suspicious'] {
    return pod === undefined ? undefined : this.#keys.note({ podUid: pod.uid, spkiSha256, at });
  }
}
