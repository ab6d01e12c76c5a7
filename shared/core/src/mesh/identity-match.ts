import { type Identity, printIdentity } from './workload-identity.ts';

/** Whom a policy means: one identity (SPIFFE ids too), or all whose DNS name ends in given labels. */
export type IdentityMatch =
  | { readonly kind: 'exact'; readonly identity: Identity }
  | { readonly kind: 'suffix'; readonly parts: SuffixParts };

/** `*` is the suffix [], every DNS identity; `*.a.b` is ['a','b'], every name below `a.b`. */
export type SuffixParts = readonly string[];

/** `a.b` as labels. */
export const suffixParts = (suffix: string): SuffixParts => suffix.split('.');

export const printSuffix = (parts: SuffixParts): string => ['*', ...parts].join('.');

/** Whether a DNS name is below the suffix; the suffix itself is not. */
export const endsIn = (parts: SuffixParts, name: string): boolean =>
  parts.length === 0 || name.endsWith(`.${parts.join('.')}`);

/** Whether a workload, which a DNS name names, is meant. */
export const matchesIdentity = (match: IdentityMatch, identity: Identity): boolean =>
  match.kind === 'exact'
    ? printIdentity(match.identity) === printIdentity(identity)
    : endsIn(match.parts, printIdentity(identity));
