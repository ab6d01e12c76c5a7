/** The characters of JSON's syntax that say where strings and brackets are. `[` differs from `{`, and `]` from `}`, in one bit. */
const quote = 0x22;
const backslash = 0x5c;
const open = 0x5b;
const close = 0x5d;
const bothKinds = 0xdf;

/**
 * Follows how deep JSON text is in brackets, piece by piece as it comes in. It looks at brackets, quotes and backslashes alone, of
 * which no other character of UTF-8 has a byte (RFC 3629 §3). That what it reads is JSON is for the caller to find out.
 */
export class JsonNesting {
  /** In how many brackets the next byte is. */
  depth = 0;
  #isString = false;
  #isEscaped = false;

  /**
   * Reads from `from` to the bracket that makes the depth `depth`. Returns the index behind it; the piece's length where there is
   * none. Every byte of every list passes here: what is between strings has a loop of its own, and strings have theirs.
   */
  until(depth: number, piece: Uint8Array, from: number): number {
    const { length } = piece;
    let at = from;
    let now = this.depth;
    let isString = this.#isString;
    if (this.#isEscaped && at < length) {
      this.#isEscaped = false;
      at += 1;
    }
    while (at < length) {
      while (isString && at < length) {
        const byte = piece[at];
        at += 1;
        if (byte === quote) isString = false;
        else if (byte === backslash) {
          // The next one does not end the string, whatever it is.
          if (at === length) this.#isEscaped = true;
          else at += 1;
        }
      }
      while (at < length) {
        const byte = piece[at] as number;
        at += 1;
        if (byte === quote) {
          isString = true;
          break;
        }
        if (byte < open) continue;
        const kind = byte & bothKinds;
        if (kind === open) now += 1;
        else if (kind === close) now -= 1;
        else continue;
        if (now === depth) {
          this.depth = now;
          this.#isString = false;
          return at;
        }
      }
    }
    this.depth = now;
    this.#isString = isString;
    return at;
  }
}
