/**
 * Braces and brackets that were filled remember, by the spaces after the opening one, what stood there before: none for `{}`, one
 * where there was no such key, more for a key with a word for nothing. People write none or one, so nothing of theirs is lost.
 */
const words = ['', 'null', '~'] as const;
const spacesBefore = 2;

/** The text of a collection in place of a word for nothing. */
export const wasEmpty = (text: string, word: string): string => {
  const at = Math.max((words as readonly string[]).indexOf(word), word === '' ? 0 : 1);
  return text.replace(/^([[{]) */, `$1${' '.repeat(spacesBefore + at)}`);
};

/** What stood in the place of a collection of which nothing is left. */
export type Former =
  | { readonly kind: 'empty-collection' }
  | { readonly kind: 'no-key' }
  | { readonly kind: 'word'; readonly word: string };

export const formerOf = (text: string): Former => {
  const [, spaces = ''] = /^[[{]( *)/.exec(text) ?? [];
  if (spaces.length === 0) return { kind: 'empty-collection' };
  const word = words[spaces.length - spacesBefore];
  return word === undefined ? { kind: 'no-key' } : { kind: 'word', word };
};
