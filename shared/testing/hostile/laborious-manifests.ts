/** Texts of manifests: each was slow to read once, or is what a reader may be slow at; `n` is how much of it. */
export const laboriousManifests: Readonly<Record<string, (n: number) => string>> = {
  'keys in a mapping': (n) => `x:\n${Array.from({ length: n }, (_, i) => `  k${i}: v\n`).join('')}`,
  'keys in a flow mapping': (n) => `x: {${Array.from({ length: n }, (_, i) => `k${i}: v, `).join('')}}`,
  'keys in JSON': (n) => `{${Array.from({ length: n }, (_, i) => `"k${i}": 1`).join()}}`,
  'JSON values': (n) => '{"a":1}\n'.repeat(n),
  documents: (n) => 'a: b\n---\n'.repeat(n),
  anchors: (n) => `x: [${Array.from({ length: n }, (_, i) => `&a${i} v, `).join('')}]`,
  aliases: (n) => `x: &x v\nz: [${'*x, '.repeat(n)}]`,
  merges: (n) => `x: &x { a: b }\ny:\n${'- { <<: *x }\n'.repeat(n)}`,
  'list items': (n) => `x:\n${'- v\n'.repeat(n)}`,
  'lines of a text': (n) => `x: |\n${'  v\n'.repeat(n)}`,
  'lines of a text without quotes': (n) => `x:${' v\n '.repeat(n)}`,
  escapes: (n) => `x: "${'\\u0041'.repeat(n)}"`,
  comments: (n) => `x: v\n${'# c\n'.repeat(n)}`,
  'an open list': (n) => `x: [${'v, '.repeat(n)}`,
  'open braces': (n) => '{'.repeat(n),
};
