/**
 * What a scalar without quotes stands for in a manifest. kubectl reads manifests through sigs.k8s.io/yaml, whose scalars
 * are those of YAML 1.1 with exceptions of its own: `yes`, `on` and `y` are booleans, `0644` is octal, `1_000` is a
 * thousand, while `1:30` and `2026-01-31` stay texts. Reading anything else would govern another cluster than kubectl's.
 */

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', 'y'].flatMap((word) => spellings(word).map((text) => [text, true] as const)),
  ...['false', 'no', 'off', 'n'].flatMap((word) => spellings(word).map((text) => [text, false] as const)),
]);

/** `yes`, `Yes` and `YES`; `yEs` is a text. */
function spellings(word: string): readonly string[] {
  const first = word.slice(0, 1).toUpperCase();
  return [...new Set([word, first + word.slice(1), word.toUpperCase()])];
}

const nulls: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);

/** No number is longer; what is would only cost time. */
const longestNumber = 100;

const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

const withoutUnderscores = (text: string): string | undefined =>
  text.length > longestNumber || !/^[-+]?[0-9]/.test(text) ? undefined : text.replaceAll('_', '');

export const readPlainNull = (text: string): null | undefined => (nulls.has(text) ? null : undefined);

export const readPlainBoolean = (text: string): boolean | undefined => booleans.get(text);

export const readPlainInteger = (text: string): number | undefined => {
  const [, sign, hex, binary, octal, decimal] = integer.exec(withoutUnderscores(text) ?? '') ?? [];
  const value =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : binary !== undefined
        ? Number.parseInt(binary, 2)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : Number(decimal);
  // Not -0, which no port or count is compared with.
  return Number.isNaN(value) ? undefined : sign === '-' && value !== 0 ? -value : value;
};

export const readPlainFloat = (text: string): number | undefined => {
  const written = text.startsWith('.') && text.length <= longestNumber ? text : withoutUnderscores(text);
  if (written !== undefined && float.test(written)) return Number(written);
  return specialFloats.get(text);
};

const specialFloats: ReadonlyMap<string, number> = new Map(
  ['inf', 'Inf', 'INF']
    .flatMap((word): readonly (readonly [string, number])[] => [
      [`.${word}`, Number.POSITIVE_INFINITY],
      [`+.${word}`, Number.POSITIVE_INFINITY],
      [`-.${word}`, Number.NEGATIVE_INFINITY],
    ])
    .concat(['nan', 'NaN', 'NAN'].map((word) => [`.${word}`, Number.NaN])),
);
