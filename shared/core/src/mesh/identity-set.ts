import { type IdentityMatch, printSuffix } from './identity-match.ts';
import { type Identity, printIdentity } from './workload-identity.ts';

/**
 * Matches, ready to be asked about many workloads: a question costs as much as the name has labels, not as there are
 * matches. A tenant may write thousands of them beside a selector of thousands of pods.
 */
export class IdentitySet {
  readonly #names = new Set<string>();
  readonly #suffixes = new Set<string>();

  constructor(matches: readonly IdentityMatch[]) {
    for (const match of matches) {
      if (match.kind === 'exact') this.#names.add(printIdentity(match.identity));
      else this.#suffixes.add(printSuffix(match.parts));
    }
  }

  /** Whether one of the matches means the workload. */
  has(identity: Identity): boolean {
    const name = printIdentity(identity);
    return (
      this.#names.has(name) ||
      (this.#suffixes.size > 0 && suffixesOf(name).some((one) => this.#suffixes.has(one)))
    );
  }
}

/** The suffixes that the name is below, as they are printed: `*.b.c`, `*.c` and `*` for `a.b.c`. */
const suffixesOf = (name: string): readonly string[] => {
  const labels = name.split('.');
  return labels.map((_, at) => printSuffix(labels.slice(at + 1)));
};
