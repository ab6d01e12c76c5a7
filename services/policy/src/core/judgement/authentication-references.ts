import { SetMap } from '@gatehouse/core/dependency/set-map';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import { judgedFacts } from './judged-facts.ts';

/** Which AuthorizationPolicies refer to which authentications. */
export class AuthenticationReferences {
  readonly #policies = new SetMap<string, KubeObject>();

  take(touched: readonly Touched[]): void {
    for (const { before, after } of touched) {
      if (before !== undefined) for (const fact of referencesOf(before)) this.#policies.remove(fact, before);
      if (after !== undefined) for (const fact of referencesOf(after)) this.#policies.add(fact, after);
    }
  }

  /** By the fact that names the authentication. */
  count(fact: string): number {
    return this.#policies.get(fact).size;
  }
}

const referencesOf = (object: KubeObject): readonly string[] => {
  if (object.kind !== 'AuthorizationPolicy') return [];
  const { spec } = object as KubeObject<'AuthorizationPolicy'>;
  if (isRejected(spec)) return [];
  return spec.authentications.map(({ kind, namespace, name }) =>
    judgedFacts.references(kind, namespace, name),
  );
};
