import { type LabelSelector, type Labels, selects } from '../label-selector.ts';

/**
 * Selectors by one label that they insist on, so that finding those that select given labels does not look at all of
 * them. With one policy per application, a look-up costs the same however many applications there are.
 */
export class SelectorIndex<T> {
  readonly #anchored = new Map<string, Map<T, LabelSelector>>();
  /** Selectors that insist on no single pair: they are looked at every time. */
  readonly #loose = new Map<T, LabelSelector>();
  readonly #keys = new Map<string, number>();

  add(item: T, selector: LabelSelector): void {
    const anchor = anchorOf(selector);
    if (anchor === undefined) this.#loose.set(item, selector);
    else {
      const items = this.#anchored.get(anchor) ?? new Map<T, LabelSelector>();
      this.#anchored.set(anchor, items.set(item, selector));
    }
    for (const key of keysOf(selector)) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1);
  }

  /** With the selector it was added with. */
  remove(item: T, selector: LabelSelector): void {
    const anchor = anchorOf(selector);
    if (anchor === undefined) this.#loose.delete(item);
    else {
      const items = this.#anchored.get(anchor);
      items?.delete(item);
      if (items?.size === 0) this.#anchored.delete(anchor);
    }
    for (const key of keysOf(selector)) {
      const count = this.#keys.get(key) ?? 0;
      if (count > 1) this.#keys.set(key, count - 1);
      else this.#keys.delete(key);
    }
  }

  /** The items whose selectors select the labels, in no particular order. */
  *selecting(labels: Labels): Generator<T> {
    for (const [key, value] of Object.entries(labels)) {
      const items = this.#anchored.get(pair(key, value));
      if (items === undefined) continue;
      for (const [item, selector] of items) if (selects(selector, labels)) yield item;
    }
    for (const [item, selector] of this.#loose) if (selects(selector, labels)) yield item;
  }

  /** Every label name that some selector looks at. */
  get keys(): Iterable<string> {
    return this.#keys.keys();
  }

  *items(): Generator<T> {
    for (const items of this.#anchored.values()) yield* items.keys();
    yield* this.#loose.keys();
  }

  get isEmpty(): boolean {
    return this.#anchored.size === 0 && this.#loose.size === 0;
  }
}

/** One pair of a label, as text. A line feed can be in no label. */
export const pair = (key: string, value: string): string => `${key}\n${value}`;

/** A pair that whatever the selector selects must have; undefined when it insists on no single one. */
export const anchorOf = ({ matchLabels }: LabelSelector): string | undefined => {
  for (const [key, value] of Object.entries(matchLabels)) return pair(key, value);
  return undefined;
};

/** The label names that the selector looks at. */
export const keysOf = ({ matchLabels, matchExpressions }: LabelSelector): ReadonlySet<string> =>
  new Set([...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)]);
