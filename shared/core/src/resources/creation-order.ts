import type { ObjectMeta } from './kinds.ts';

/**
 * The house's one tie-break: the older object first, then the name (Linkerd's for Servers and routes). `createdAt` is 0
 * where nobody says, so that the name decides. Objects of several namespaces do not meet here.
 */
export const byAge = (a: { readonly meta: ObjectMeta }, b: { readonly meta: ObjectMeta }): number =>
  a.meta.createdAt - b.meta.createdAt || compareText(a.meta.name, b.meta.name);

/** By code unit, so that every replica agrees whatever its locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
