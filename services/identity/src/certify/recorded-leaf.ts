import { GatehouseError } from '@gatehouse/core/error';
import type { IssuanceIntent } from '../core/issued/issuance-record.ts';
import type { CheckedLeaf } from '../core/leaf/template-rules.ts';
import { sha256 } from '../ports/issuer/x509.ts';

/** Remembers what is issued: first that it will be, then what it became. */
export interface IssuanceLog {
  /**
   * Resolves once the intent would survive this process and the machine; at once where nothing is to survive. Throws
   * `unavailable` if it cannot: then nothing may be signed.
   */
  intend(intent: IssuanceIntent): Promise<void> | void;
  /** Adds the SHA-256 of the certificate to what was intended. Holds nobody up; that it was lost is said in the log. */
  complete(serial: string, leafSha256: string): void;
}

/**
 * A leaf that keeps every rule and whose intent is in the issuance log. `record` is the only way to one and the issuer
 * signs nothing else, each once: more signatures than records cannot be.
 */
export class RecordedLeaf {
  readonly serial: string;
  readonly #leaf: CheckedLeaf;
  #spent = false;

  private constructor(leaf: CheckedLeaf, serial: string) {
    this.#leaf = leaf;
    this.serial = serial;
  }

  /** Resolves when it may be signed; without a promise where the log needs no time. Throws what `intend` throws. */
  static record(
    log: IssuanceLog,
    leaf: CheckedLeaf,
    facts: Omit<IssuanceIntent, 'tbsSha256'>,
  ): RecordedLeaf | Promise<RecordedLeaf> {
    const recording = log.intend({ ...facts, tbsSha256: sha256(leaf.tbs).toHex() });
    const recorded = new RecordedLeaf(leaf, facts.serial);
    return recording === undefined ? recorded : recording.then(() => recorded);
  }

  /** What is to be signed. Throws the second time: an ECDSA signature differs each time, and so would the certificate. */
  spend(): CheckedLeaf {
    if (this.#spent) throw new GatehouseError('internal', 'a recorded certificate is signed once');
    this.#spent = true;
    return this.#leaf;
  }
}
