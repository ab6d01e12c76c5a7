import { contextTag, derTag } from '@gatehouse/core/der/der';
import { type DerNode, parseDer } from '@gatehouse/core/der/parse-der';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

/** What a CA's certificate says of the names below it (RFC 5280 §4.2.1.10). */
export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

export type Subtree =
  /** In lower case. `a.b` holds for itself and what is below it, `.a.b` only for what is below it, '' for every name. */
  | { readonly kind: 'dns'; readonly base: string }
  | { readonly kind: 'directory' }
  /** Another choice of GeneralName, by its number: none that our leaves have. */
  | { readonly kind: 'other'; readonly choice: number };

const fix = 'use nameConstraints as RFC 5280 §4.2.1.10 has them, without minimum and maximum';

/** Reads the content of the extension. Proxies refuse a certificate whose constraints they cannot read, so nothing is skipped. */
export const readNameConstraints = (der: Uint8Array): Parsed<NameConstraints> => {
  const outcome = parseDer(der, 'nameConstraints');
  if (!outcome.ok) return outcome;
  const { tag, children } = outcome.value;
  const lists = [contextTag(0, 'constructed'), contextTag(1, 'constructed')].map((wanted) =>
    children.find((child) => child.tag === wanted),
  );
  const known = lists.filter((list) => list !== undefined).length;
  const [permitted, excluded] = lists.map((list) => list?.children.map(readSubtree) ?? []);
  const subtrees = [...(permitted ?? []), ...(excluded ?? [])];
  if (
    tag !== derTag.sequence ||
    known !== children.length ||
    children.length === 0 ||
    subtrees.some((subtree) => subtree === undefined)
  ) {
    return problem('nameConstraints', 'a list of subtrees cannot be read', fix);
  }
  const whole = (list: typeof permitted): readonly Subtree[] =>
    (list ?? []).filter((subtree) => subtree !== undefined);
  return parsed({ permitted: whole(permitted), excluded: whole(excluded) });
};

/** GeneralSubtree: its base alone, since minimum is 0, which DER leaves out, and maximum must be absent. */
const readSubtree = (node: DerNode): Subtree | undefined => {
  const [base, ...more] = node.children;
  if (node.tag !== derTag.sequence || base === undefined || more.length > 0) return undefined;
  switch (base.tag) {
    case contextTag(2, 'primitive'): {
      const text = Buffer.from(base.content).toString('latin1').toLowerCase();
      return isDnsBase(text) ? { kind: 'dns', base: text } : undefined;
    }
    case contextTag(4, 'constructed'):
      return { kind: 'directory' };
    default:
      return base.tag >= 0x80 ? { kind: 'other', choice: base.tag & 0x1f } : undefined;
  }
};

/** What webpki reads as a base: '', or labels, after a dot at most; a wildcard or a last dot is malformed for it. */
const isDnsBase = (text: string): boolean =>
  text === '' ||
  /^\.?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/.test(text);

/** Whether a DNS name in lower case is within the subtree. */
const isWithin = (name: string, base: string): boolean =>
  base === '' || name === base || name.endsWith(base.startsWith('.') ? base : `.${base}`);

const dnsBases = (subtrees: readonly Subtree[]): readonly string[] =>
  subtrees.flatMap((subtree) => (subtree.kind === 'dns' ? [subtree.base] : []));

/** Whether all of these constraints let a certificate with this DNS name pass. */
export const permitName = (all: readonly NameConstraints[], name: string): boolean =>
  all.every(({ permitted, excluded }) => {
    const bases = dnsBases(permitted);
    // Of a kind of names that permittedSubtrees does not mention, every name is permitted.
    const isPermitted = bases.length === 0 || bases.some((base) => isWithin(name, base));
    return isPermitted && !dnsBases(excluded).some((base) => isWithin(name, base));
  });

/** How many of the names below `suffix` constraints let pass. */
export type Coverage = 'all' | 'some' | 'none';

/** Of the names that end in `.` and `suffix`, never of `suffix` itself. */
export const coverNames = (all: readonly NameConstraints[], suffix: string): Coverage => {
  const each = all.map((constraints) => coverage(constraints, suffix));
  return each.includes('none') ? 'none' : each.includes('some') ? 'some' : 'all';
};

const coverage = ({ permitted, excluded }: NameConstraints, suffix: string): Coverage => {
  const bases = dnsBases(permitted);
  const excludes = dnsBases(excluded);
  const isWhole = (base: string): boolean => base === `.${suffix}` || isWithin(suffix, base);
  const isPart = (base: string): boolean => base.endsWith(`.${suffix}`);
  if (excludes.some(isWhole)) return 'none';
  const allPermitted = bases.length === 0 || bases.some(isWhole);
  if (!allPermitted && !bases.some(isPart)) return 'none';
  return allPermitted && !excludes.some(isPart) ? 'all' : 'some';
};

/**
 * Constraints that proxies meet by rejecting the whole path: on directory names always, since they cannot compare them
 * (webpki), and on other kinds of names wherever a certificate below has one.
 */
export const isBeyondProxies = (
  { permitted, excluded }: NameConstraints,
  otherNames: readonly number[],
): boolean =>
  [...permitted, ...excluded].some(
    (subtree) =>
      subtree.kind === 'directory' || (subtree.kind === 'other' && otherNames.includes(subtree.choice)),
  );
