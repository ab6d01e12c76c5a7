import { Line, type Link } from './line.ts';

export interface FairPlacesOptions<T> {
  /** How much there is for all, in the unit of weights: places, streams, KiB. */
  readonly max: number;
  /** How much one holder may have, also when nobody else wants any. Default: all of it. */
  readonly maxEach?: number;
  /** What happens to a newcomer whose holder has its share already: it is refused, or takes the place of the holder's oldest. */
  readonly beyondShare: 'refuse' | 'replace-oldest';
  /** Has lost its place to a newcomer. It holds nothing any more when this is called. */
  readonly evict: (item: T) => void;
}

interface Place<T> {
  readonly item: T;
  readonly weight: number;
  readonly holder: Holder<T>;
  link?: Link<Place<T>>;
}

interface Holder<T> {
  readonly name: string;
  /** Oldest first. */
  readonly places: Line<Place<T>>;
  weight: number;
  /** In the line of those that take turns. */
  turn?: Link<Holder<T>>;
  /** In the line of those that have as much. */
  equals?: Link<Holder<T>>;
}

/**
 * A bounded number of places, shared between holders: clients' addresses, as a rule (`holderOf`). While there is room, one
 * holder may have any number of them: behind a NAT many clients share an address. When there is none left, the holder with
 * the most loses its oldest to one that has less; so one holder cannot keep the others out, however many places it asks for.
 * `next` takes turns between the holders. No call costs more than what it takes or evicts, whatever strangers do.
 */
export class FairPlaces<T> {
  readonly #options: FairPlacesOptions<T>;
  readonly #places = new Map<T, Place<T>>();
  readonly #holders = new Map<string, Holder<T>>();
  /** The one whose turn is next comes first. */
  readonly #turns = new Line<Holder<T>>();
  /** Holders by what they have, so that the one with the most is found without a search. */
  readonly #byWeight = new Map<number, Line<Holder<T>>>();
  #most = 0;
  #taken = 0;

  constructor(options: FairPlacesOptions<T>) {
    this.#options = options;
  }

  /** How many items hold a place. */
  get size(): number {
    return this.#places.size;
  }

  has(item: T): boolean {
    return this.#places.has(item);
  }

  /** How much a holder has. */
  weightOf(holder: string): number {
    return this.#holders.get(holder)?.weight ?? 0;
  }

  /** All that hold a place, oldest first, no matter who their holders are. */
  [Symbol.iterator](): Iterator<T> {
    return this.#places.keys();
  }

  /** False when there is no place for this item, which is then not held. */
  take(item: T, holder: string, weight = 1): boolean {
    const { max, maxEach = max, beyondShare } = this.#options;
    const own = this.#holders.get(holder);
    const wouldHave = (own?.weight ?? 0) + weight;
    if (wouldHave > maxEach) {
      if (own === undefined || beyondShare === 'refuse') return false;
      this.#evict(own, wouldHave - maxEach);
    }
    for (let missing = this.#taken + weight - max; missing > 0; missing = this.#taken + weight - max) {
      const loser = this.#loser(this.#holders.get(holder), wouldHave, missing);
      if (loser === undefined) return false;
      this.#evict(loser, missing);
    }
    this.#add(item, holder, weight);
    return true;
  }

  /** Gives back the place of an item; true if it held one. */
  leave(item: T): boolean {
    const place = this.#places.get(item);
    if (place === undefined) return false;
    const { holder, weight, link } = place;
    this.#places.delete(item);
    this.#taken -= weight;
    if (link !== undefined) holder.places.remove(link);
    this.#weigh(holder, -weight);
    if (holder.weight === 0) {
      this.#holders.delete(holder.name);
      if (holder.turn !== undefined) this.#turns.remove(holder.turn);
    }
    return true;
  }

  /** Whose turn it is: the oldest of the holder that is next. Undefined when nobody holds any. */
  get first(): T | undefined {
    return this.#turns.first?.value.places.first?.value.item;
  }

  /** The same, which gives back its place; its holder goes to the end of the line. */
  next(): T | undefined {
    const turn = this.#turns.first;
    const place = turn?.value.places.first?.value;
    if (turn === undefined || place === undefined) return undefined;
    this.leave(place.item);
    if (turn.value.weight > 0) {
      this.#turns.remove(turn);
      turn.value.turn = this.#turns.append(turn.value);
    }
    return place.item;
  }

  /** Who makes room: the holder that has the most, unless that would be the newcomer; the newcomer's own, where they may. */
  #loser(own: Holder<T> | undefined, wouldHave: number, missing: number): Holder<T> | undefined {
    const most = this.#byWeight.get(this.#most)?.first?.value;
    switch (this.#options.beyondShare) {
      case 'refuse':
        // Nothing is won where it would have less afterwards than the newcomer: the two would take from each other forever.
        return this.#most - missing >= wouldHave ? most : undefined;
      case 'replace-oldest':
        return this.#most >= wouldHave ? most : (own ?? most);
    }
  }

  #evict(holder: Holder<T>, atLeast: number): void {
    let given = 0;
    for (
      let first = holder.places.first;
      first !== undefined && given < atLeast;
      first = holder.places.first
    ) {
      const { item, weight } = first.value;
      given += weight;
      this.leave(item);
      this.#options.evict(item);
    }
  }

  #add(item: T, name: string, weight: number): void {
    let holder = this.#holders.get(name);
    if (holder === undefined) {
      holder = { name, places: new Line(), weight: 0 };
      holder.turn = this.#turns.append(holder);
      this.#holders.set(name, holder);
    }
    const place: Place<T> = { item, weight, holder };
    place.link = holder.places.append(place);
    this.#places.set(item, place);
    this.#taken += weight;
    this.#weigh(holder, weight);
  }

  #weigh(holder: Holder<T>, change: number): void {
    const before = this.#byWeight.get(holder.weight);
    if (before !== undefined && holder.equals !== undefined) {
      before.remove(holder.equals);
      if (before.first === undefined) this.#byWeight.delete(holder.weight);
    }
    holder.weight += change;
    if (holder.weight > 0) {
      const equals = this.#byWeight.get(holder.weight) ?? new Line();
      holder.equals = equals.append(holder);
      this.#byWeight.set(holder.weight, equals);
    }
    this.#most = Math.max(this.#most, holder.weight);
    // As many steps down as others went up before: what is paid here was paid for by them.
    while (this.#most > 0 && !this.#byWeight.has(this.#most)) this.#most -= 1;
  }
}
