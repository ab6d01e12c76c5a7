/**
 * What waits, in an order that gives every tenant its share of the work, not of the items: deficit round robin (Shreedhar
 * and Varghese, 1995). In each round a tenant may cost a quantum; who has cost more lets rounds pass until it is paid off.
 * So a tenant with one cheap item waits for a round at most, however many or however dear the items of another are.
 */
export class FairQueue<T> {
  readonly #quantum: number;
  /** In the order of their turns. */
  readonly #waiting = new Map<string, Set<T>>();
  /** What each may still cost in its turn; below zero it is in debt. No debt is larger than one item was. */
  readonly #credit = new Map<string, number>();
  /** Whose turn it is. */
  #turn: string | undefined;
  #size = 0;

  constructor(quantum: number) {
    this.#quantum = quantum;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether everything that waits is of tenants that were dear a moment ago; none, if nothing waits. */
  get isInDebt(): boolean {
    for (const tenant of this.#waiting.keys()) {
      if ((this.#credit.get(tenant) ?? 0) + this.#quantum > 0) return false;
    }
    return this.#size > 0;
  }

  /** An item that waits already keeps its place. */
  add(tenant: string, item: T): void {
    const items = this.#waiting.get(tenant) ?? this.#enter(tenant);
    if (items.has(item)) return;
    items.add(item);
    this.#size += 1;
  }

  remove(tenant: string, item: T): void {
    const items = this.#waiting.get(tenant);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#leave(tenant);
  }

  /** Takes the next item; say by `charge` what it cost. */
  next(): { readonly tenant: string; readonly item: T } | undefined {
    for (const [tenant, items] of this.#waiting) {
      if (this.#turn !== tenant) {
        this.#turn = tenant;
        this.charge(tenant, -this.#quantum);
      }
      const [item] = items;
      if (item !== undefined && (this.#credit.get(tenant) ?? 0) > 0) {
        this.remove(tenant, item);
        return { tenant, item };
      }
      // The others first; the loop comes to it again behind them.
      this.#turn = undefined;
      this.#waiting.delete(tenant);
      this.#waiting.set(tenant, items);
    }
    this.#passRound();
    return undefined;
  }

  /** A time in which nothing waits counts as a round: anyone who was expensive a moment ago does not go first again. */
  #passRound(): void {
    for (const [tenant, credit] of this.#credit) {
      if (credit + this.#quantum < 0) this.#credit.set(tenant, credit + this.#quantum);
      else this.#credit.delete(tenant);
    }
  }

  charge(tenant: string, cost: number): void {
    this.#credit.set(tenant, (this.#credit.get(tenant) ?? 0) - cost);
  }

  /** Debts of an earlier time stay; what was not used of a turn does not count towards later ones. */
  #enter(tenant: string): Set<T> {
    if ((this.#credit.get(tenant) ?? 0) > 0) this.#credit.delete(tenant);
    const items = new Set<T>();
    this.#waiting.set(tenant, items);
    return items;
  }

  #leave(tenant: string): void {
    this.#waiting.delete(tenant);
    if (this.#turn === tenant) this.#turn = undefined;
  }
}
