/** `*` is the suffix []; `*.a.b` the suffix ['a','b']; anything else is exact (SPIFFE ids too). */
export type IdentityMatch =
  | { readonly kind: 'exact'; readonly name: string }
  | { readonly kind: 'suffix'; readonly parts: readonly string[] };
