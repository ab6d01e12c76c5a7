import { randomFillSync } from 'node:crypto';

const serialBytes = 16;
const drawn = 256;

/**
 * Serial numbers of 126 random bits in 16 bytes; the first byte is 0x40 to 0x7f, so that the INTEGER is positive and never
 * padded. Drawn by the hundred: one draw of 4 KiB costs as much as one of 16 bytes.
 */
export class Serials {
  readonly #pool = new Uint8Array(serialBytes * drawn);
  #next = this.#pool.length;

  /** Each is given out once. */
  draw(): Uint8Array {
    if (this.#next === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    const serial = this.#pool.slice(this.#next, this.#next + serialBytes);
    // What has been given out is not kept where a later mistake could give it out again.
    this.#pool.fill(0, this.#next, this.#next + serialBytes);
    this.#next += serialBytes;
    serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
    return serial;
  }
}
