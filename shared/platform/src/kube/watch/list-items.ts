import type { WireObject } from '../parse/fields.ts';
import { JsonNesting } from './json-nesting.ts';
import { type ListPage, readJson, readPage } from './wire-answers.ts';

/** How deep in brackets the members of a list are, its items, and the members of an item. */
const [inList, inItems, inItem] = [1, 2, 3];

const [space, tab, lineFeed, carriageReturn] = [0x20, 0x09, 0x0a, 0x0d];
const [comma, openBrace, closeBracket] = [0x2c, 0x7b, 0x5d];

/** What stands before the bracket that opens the items: a key, since no other string has a colon behind it. */
const itemsKey = /[{,]\s*"items"\s*:\s*\[$/;
/** As much of a page as is searched for that key, which nobody writes with more white space. */
const longestKey = 64;

/**
 * Cuts the items out of one page of a list while it comes in, and hands over each as soon as it is whole. 500 pods are 6 MB of JSON
 * and 25 MB once that is read. Kept to the end of the page they outlive two collections, and the process grows by all of it; an
 * item that is read and let go costs none of that.
 *
 * Between the items it reads by itself; whether an item and the rest of the page are JSON (RFC 8259), `JSON.parse` says.
 */
export class ListItems {
  readonly #take: (item: WireObject) => void;
  readonly #nesting = new JsonNesting();
  #place: 'outside' | 'between' | 'inside' | 'broken' = 'outside';
  /** Between the items: what may come next. */
  #next: 'item or end' | 'item' | 'comma or end' = 'item or end';
  #hadItems = false;
  /** The page without its items. */
  readonly #rest: Buffer[] = [];
  /** The end of that, as text. */
  #tail = '';
  /** The item that has begun, as far as it has come. */
  #begun: Buffer[] = [];

  constructor(take: (item: WireObject) => void) {
    this.#take = take;
  }

  /** The next bytes of the page. What makes no sense is for `end` to tell. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      switch (this.#place) {
        case 'outside':
          at = this.#readOutside(piece, at);
          break;
        case 'between':
          at = this.#readBetween(piece, at);
          break;
        case 'inside':
          at = this.#readInside(piece, at);
          break;
        case 'broken':
          return;
      }
    }
  }

  /** What the page says beside its items, now that all of it has come; undefined for what is not a list. */
  end(): Pick<ListPage, 'version' | 'continue'> | undefined {
    if (this.#place !== 'outside') return undefined;
    const page = readPage(Buffer.concat(this.#rest));
    // Items under a key that was written with escapes: nobody does, and they would be lost.
    return page === undefined || page.items.length > 0 ? undefined : page;
  }

  #readOutside(piece: Buffer, from: number): number {
    const nesting = this.#nesting;
    const wasDeep = nesting.depth > inList;
    const end = nesting.until(wasDeep ? inList : inItems, piece, from);
    this.#rest.push(piece.subarray(from, end));
    this.#tail += piece.toString('latin1', Math.max(from, end - longestKey), end);
    this.#tail = this.#tail.slice(-longestKey);
    if (!wasDeep && nesting.depth === inItems && itemsKey.test(this.#tail)) {
      this.#place = this.#hadItems ? 'broken' : 'between';
      this.#hadItems = true;
    }
    return end;
  }

  #readBetween(piece: Buffer, at: number): number {
    const byte = piece[at] ?? 0;
    const [isItemNext, isEndNext] = [this.#next !== 'comma or end', this.#next !== 'item'];
    if (byte === openBrace && isItemNext) {
      // Read again as the item's first byte.
      this.#place = 'inside';
      return at;
    }
    if (byte === closeBracket && isEndNext) {
      this.#place = 'outside';
      return at;
    }
    if (byte === comma && this.#next === 'comma or end') this.#next = 'item';
    else if (![space, tab, lineFeed, carriageReturn].includes(byte)) this.#place = 'broken';
    return at + 1;
  }

  #readInside(piece: Buffer, from: number): number {
    const nesting = this.#nesting;
    const start = nesting.depth === inItems ? nesting.until(inItem, piece, from) : from;
    const end = nesting.until(inItems, piece, start);
    this.#begun.push(piece.subarray(from, end));
    if (nesting.depth === inItems) this.#finish();
    return end;
  }

  #finish(): void {
    const [first] = this.#begun;
    const item = readJson(
      this.#begun.length === 1 && first !== undefined ? first : Buffer.concat(this.#begun),
    );
    this.#begun = [];
    this.#next = 'comma or end';
    this.#place = item === undefined ? 'broken' : 'between';
    if (item !== undefined) this.#take(item);
  }
}
