import { printProblem } from '@gatehouse/core/problem';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';

/** What an operator should hear of: said once, however often the object is listed again. */
export type Verdict =
  | {
      readonly kind: 'rejected';
      readonly object: KubeObject;
      /** One line each. */
      readonly problems: readonly string[];
    }
  /** It was rejected, and is now fixed or removed. */
  | { readonly kind: 'settled'; readonly object: KubeObject };

/** The policy objects that are rejected now. */
export class Rejections {
  /** The problems as they were said, by kind, namespace and name. */
  readonly #said = new Map<string, string>();
  readonly #counts = new Map<Kind, number>();

  /** How many are rejected, by kind; kinds that had one once stay with 0. */
  get counts(): ReadonlyMap<Kind, number> {
    return this.#counts;
  }

  apply(touched: readonly Touched[]): readonly Verdict[] {
    return touched.flatMap(({ kind, before, after }): readonly Verdict[] => {
      const object = after ?? before;
      if (object === undefined) return [];
      const key = `${kind}/${object.meta.namespace}/${object.meta.name}`;
      const said = this.#said.get(key);
      if (after !== undefined && isRejected(after.spec)) {
        const problems = after.spec.rejected.map(printProblem);
        if (problems.join('\n') === said) return [];
        if (said === undefined) this.#count(kind, 1);
        this.#said.set(key, problems.join('\n'));
        return [{ kind: 'rejected', object: after, problems }];
      }
      if (said === undefined) return [];
      this.#said.delete(key);
      this.#count(kind, -1);
      return [{ kind: 'settled', object }];
    });
  }

  #count(kind: Kind, change: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + change);
  }
}
