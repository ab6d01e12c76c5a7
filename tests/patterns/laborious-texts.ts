/**
 * Texts that make a backtracking engine work: for each repetition in a pattern, what leads to it, then what it repeats again
 * and again, then something that no match ends with. They are made from the pattern itself, so that a new one needs no list.
 */

export type Pattern = Pick<RegExp, 'source' | 'flags'>;

interface Node {
  /** One character of the pattern, such as `a`, `\d` or `[^/]`, or the alternatives of a group. */
  readonly is: string | readonly (readonly Node[])[];
  readonly repeats: boolean;
  /** How often it comes at least, where a count is written. */
  readonly least: number;
  /** Lookarounds take nothing of the text. */
  readonly takes: boolean;
}

const usualCharacters = [...'aA1_-./: "\\!%\n\t\u0001\u00b5\u202e\ufffd'];

/** So many looks of each repetition are tried. */
const looks = 4;

const atomAt = /\\(?:u\{[^}]*\}|u....|x..|[pP]\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|[^()|]/suy;
const groupAt = /\((?:\?(?:[a-z]*(?:-[a-z]+)?:|<?[=!]|<[^>]*>))?/y;
const quantifierAt = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;
const assertionAt = /[\^$]|\\[bB]/y;

class PatternReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  alternatives(): readonly (readonly Node[])[] {
    const all: Node[][] = [[]];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#take(/\|/y) !== undefined) all.push([]);
      else if (this.#take(assertionAt) === undefined) all.at(-1)?.push(this.#node());
    }
    return all;
  }

  #node(): Node {
    const group = this.#take(groupAt);
    const is = group === undefined ? (this.#take(atomAt) ?? '') : this.alternatives();
    if (group !== undefined) this.#take(/\)/y);
    const quantifier = this.#take(quantifierAt) ?? '';
    return {
      is,
      repeats: /^(?:[*+]|\{\d+,\})/.test(quantifier),
      least: Number(/^\{(\d+)/.exec(quantifier)?.[1] ?? 1),
      takes: !/[=!]$/.test(group ?? ''),
    };
  }

  #take(what: RegExp): string | undefined {
    what.lastIndex = this.#at;
    const found = what.exec(this.#source)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

interface Attack {
  readonly before: string;
  readonly again: string;
}

class Attacks {
  readonly found: Attack[] = [];
  readonly #flags: string;
  readonly #characters: readonly string[];

  constructor({ source, flags }: Pattern) {
    this.#flags = flags.replace(/[gy]/g, '');
    // What a pattern is written with is what it stumbles over.
    this.#characters = [...new Set([...source.replace(/\\[a-zA-Z]/g, ''), ...usualCharacters])];
    for (const nodes of new PatternReader(source).alternatives()) {
      this.#walk(nodes, '');
      this.#add('', this.#textsOf(nodes));
    }
  }

  /** Adds what makes the repetitions of a sequence work, when `before` leads to it. */
  #walk(nodes: readonly Node[], before: string): void {
    let lead = before;
    for (const node of nodes) {
      const samples = this.#samplesOf(node);
      if (typeof node.is !== 'string') for (const inner of node.is) this.#walk(inner, lead);
      if (node.repeats) this.#add(lead, samples);
      if (node.takes) lead += (samples[0] ?? '').repeat(node.least);
    }
  }

  #samplesOf({ is }: Node): readonly string[] {
    return typeof is === 'string' ? this.#charactersOf(is) : is.flatMap((nodes) => this.#textsOf(nodes));
  }

  /** What a sequence matches, in a few looks. */
  #textsOf(nodes: readonly Node[]): readonly string[] {
    const parts = nodes.filter(({ takes }) => takes);
    const samples = parts.map((node) => this.#samplesOf(node).map((text) => text.repeat(node.least)));
    const look = (index: number): string => samples.map((each) => each[index % each.length] ?? '').join('');
    return [...new Set(Array.from({ length: looks }, (_, index) => look(index)))];
  }

  #charactersOf(atom: string): readonly string[] {
    const matches = new RegExp(`^(?:${atom})$`, this.#flags);
    return this.#characters.filter((text) => matches.test(text)).slice(0, looks);
  }

  #add(before: string, samples: readonly string[]): void {
    for (const [index, sample] of samples.entries()) {
      const other = samples[(index + 1) % samples.length] ?? '';
      this.found.push({ before, again: sample }, { before, again: sample + other });
      // Each beginning of a match is one more place to begin from.
      this.found.push({ before: '', again: before + sample }, { before: '', again: sample + before });
    }
  }
}

const ends = ['', '\0', '!', '\n', 'a'];

/** Texts of the length, or a little more; the same ones in the same order for every length. */
export const laboriousTexts = (pattern: Pattern, length: number): readonly string[] => {
  const attacks = new Map(new Attacks(pattern).found.map((each) => [`${each.before} ${each.again}`, each]));
  return [...attacks.values()].flatMap(({ before, again }) =>
    again === '' ? [] : ends.map((end) => before + again.repeat(Math.ceil(length / again.length)) + end),
  );
};
