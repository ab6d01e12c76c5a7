import { RecentValues } from '@gatehouse/core/recent-values';
import { TokenBucket } from '@gatehouse/core/token-bucket';

export interface AddressBudgetOptions {
  /** So many at once for one address, and for all together. */
  readonly burst: { readonly address: number; readonly all: number };
  /** So many more each second. */
  readonly perSecond: { readonly address: number; readonly all: number };
  /** So many addresses are told apart; the one heard of longest ago is forgotten first. */
  readonly maxAddresses: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

/**
 * How much strangers may make us do: token buckets, one for each address, so that a scanner does not deny others, and one
 * for all of them, so that many scanners do not add up. Where only failures count, an attempt takes a unit beforehand and
 * gets it back when it succeeds, so attempts that are under way count too.
 */
export class AddressBudget {
  readonly #options: AddressBudgetOptions;
  readonly #addresses: RecentValues<string, TokenBucket>;
  readonly #all: TokenBucket;

  constructor(options: AddressBudgetOptions) {
    this.#options = options;
    this.#addresses = new RecentValues(options.maxAddresses);
    this.#all = new TokenBucket({ burst: options.burst.all, perSecond: options.perSecond.all });
  }

  /** Undefined when there is none left; else how to give the unit back. */
  take(address: string): (() => void) | undefined {
    const { burst, perSecond } = this.#options;
    const now = this.#options.now();
    const own = this.#addresses.get(
      address,
      () => new TokenBucket({ burst: burst.address, perSecond: perSecond.address }),
    );
    const buckets = [own, this.#all];
    if (buckets.some((bucket) => bucket.waitMs(now) > 0)) return undefined;
    for (const bucket of buckets) bucket.take(now);
    return () => {
      for (const bucket of buckets) bucket.giveBack();
    };
  }
}
