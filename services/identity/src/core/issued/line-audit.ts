/** What is wrong inside a file of numbered lines. */
export interface Damage {
  /** How many lines are lost at least: unreadable, or missing by the numbers of those around them. */
  readonly lines: number;
  /** Where the first of it was found, in bytes. */
  readonly firstAt: number | undefined;
}

export const noDamage: Damage = { lines: 0, firstAt: undefined };

export const addDamage = (one: Damage, other: Damage): Damage => ({
  lines: one.lines + other.lines,
  firstAt: one.firstAt ?? other.firstAt,
});

/**
 * Finds out by their numbers what happened to lines. Unreadable lines between two good ones and the gap in the numbers are two
 * views of one loss, so the greater of them counts; a gap without unreadable lines was cut out, a number that does not
 * grow was put in.
 */
export class LineAudit {
  #damage: Damage = noDamage;
  #next: number | undefined;
  #unreadable = 0;
  #unreadableAt: number | undefined;

  /** `next` is the number that the first line should have, if that is known. */
  constructor(next?: number) {
    this.#next = next;
  }

  /** A line that is as it was written. */
  whole(number: number, at: number): void {
    const gap = this.#next === undefined ? 0 : number - this.#next;
    this.#count(Math.max(this.#unreadable, gap < 0 ? 1 : gap), this.#unreadableAt ?? at);
    this.#unreadable = 0;
    this.#unreadableAt = undefined;
    this.#next = number + 1;
  }

  /** Files begin with a line of their own; a first line of another kind shows that something before it is gone. */
  lacksBeginning(at: number): void {
    if (this.#unreadable === 0) this.unreadable(at);
  }

  unreadable(at: number): void {
    this.#unreadable += 1;
    this.#unreadableAt ??= at;
  }

  /** The unfinished end of the file is no damage: nobody was told that it is there. */
  forgetUnreadableEnd(): void {
    this.#unreadable = 0;
    this.#unreadableAt = undefined;
  }

  /** The number of the next line; undefined as long as none was whole. */
  get next(): number | undefined {
    return this.#next;
  }

  get damage(): Damage {
    return addDamage(this.#damage, { lines: this.#unreadable, firstAt: this.#unreadableAt });
  }

  #count(lines: number, at: number): void {
    if (lines > 0) this.#damage = addDamage(this.#damage, { lines, firstAt: at });
  }
}
