const [quote, backslash] = [0x22, 0x5c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Follows how deep JSON text is in brackets, piece by piece as it comes in. It looks at brackets, quotes and backslashes alone, of
 * which no other character of UTF-8 has a byte (RFC 3629 §3). That what it reads is JSON is for the caller to find out.
 */
export class JsonNesting {
  /** In how many brackets the next byte is. */
  depth = 0;
  #isString = false;
  #isEscaped = false;

  /** Reads from `from` to the bracket that makes the depth `depth`. Returns the index behind it; the piece's length where there is none. */
  until(depth: number, piece: Uint8Array, from: number): number {
    // Local, since this reads every byte of every list.
    let [now, isString, isEscaped] = [this.depth, this.#isString, this.#isEscaped];
    let at = from;
    for (let isDone = false; at < piece.length && !isDone; at += 1) {
      const byte = piece[at];
      if (isString) {
        if (isEscaped) isEscaped = false;
        else if (byte === quote) isString = false;
        else if (byte === backslash) isEscaped = true;
      } else if (byte === quote) isString = true;
      else if (byte === openBrace || byte === openBracket) {
        now += 1;
        isDone = now === depth;
      } else if (byte === closeBrace || byte === closeBracket) {
        now -= 1;
        isDone = now === depth;
      }
    }
    [this.depth, this.#isString, this.#isEscaped] = [now, isString, isEscaped];
    return at;
  }
}
