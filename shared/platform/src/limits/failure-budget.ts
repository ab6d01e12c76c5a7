export interface FailureBudgetOptions {
  /** So many failures at once are forgiven to one address, and to all together. */
  readonly burst: { readonly address: number; readonly all: number };
  /** So many more each second. */
  readonly perSecond: { readonly address: number; readonly all: number };
  /** So many addresses are told apart; the one heard of longest ago is forgotten first. */
  readonly maxAddresses: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

interface Bucket {
  left: number;
  at: number;
}

/**
 * How many attempts may fail: token buckets, one for each address, so that a scanner does not shut out others, and one
 * for all of them, so that many scanners do not add up. An attempt takes a unit beforehand and gets it back when it
 * succeeds, so attempts that are under way count too.
 */
export class FailureBudget {
  readonly #options: FailureBudgetOptions;
  readonly #addresses = new Map<string, Bucket>();
  readonly #all: Bucket;

  constructor(options: FailureBudgetOptions) {
    this.#options = options;
    this.#all = { left: options.burst.all, at: options.now() };
  }

  /** Undefined when there is none left; else how to give the unit back. */
  take(address: string): (() => void) | undefined {
    const { burst, perSecond } = this.#options;
    const own = this.#bucketOf(address);
    this.#fill(own, burst.address, perSecond.address);
    this.#fill(this.#all, burst.all, perSecond.all);
    if (own.left < 1 || this.#all.left < 1) return undefined;
    own.left -= 1;
    this.#all.left -= 1;
    return () => {
      own.left = Math.min(burst.address, own.left + 1);
      this.#all.left = Math.min(burst.all, this.#all.left + 1);
    };
  }

  #bucketOf(address: string): Bucket {
    const { burst, maxAddresses, now } = this.#options;
    const bucket = this.#addresses.get(address) ?? { left: burst.address, at: now() };
    // Put last: the first is then the one heard of longest ago.
    this.#addresses.delete(address);
    this.#addresses.set(address, bucket);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > maxAddresses && oldest !== undefined) this.#addresses.delete(oldest);
    return bucket;
  }

  #fill(bucket: Bucket, burst: number, perSecond: number): void {
    const now = this.#options.now();
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
  }
}
