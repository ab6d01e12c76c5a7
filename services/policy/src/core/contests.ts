import type { NamedClaimants } from '@gatehouse/core/mesh/address-holder';

/** What an operator should hear of, said once for as long as the same claim the address. */
export type ContestVerdict =
  | ({ readonly kind: 'contested'; readonly address: string } & NamedClaimants)
  | { readonly kind: 'settled'; readonly address: string };

/** Remembers what was said of contested addresses. */
export class Contests {
  /** Who claimed each, as it was said. */
  readonly #said = new Map<string, string>();

  /** Takes all that are contested now. */
  say(contested: ReadonlyMap<string, NamedClaimants>): readonly ContestVerdict[] {
    const verdicts: ContestVerdict[] = [];
    for (const [address, { claimants, count }] of contested) {
      const said = `${count} ${claimants.join(' ')}`;
      if (this.#said.get(address) === said) continue;
      this.#said.set(address, said);
      verdicts.push({ kind: 'contested', address, claimants, count });
    }
    for (const address of this.#said.keys()) {
      if (contested.has(address)) continue;
      this.#said.delete(address);
      verdicts.push({ kind: 'settled', address });
    }
    return verdicts;
  }
}
