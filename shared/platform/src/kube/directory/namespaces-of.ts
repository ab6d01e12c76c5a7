import { kindOf, rowOf } from '../kind-table.ts';
import { isWireObject, type WireObject } from '../parse/fields.ts';
import { isNamespaceName } from '../parse/meta.ts';
import { isWorkloadKind } from './workload.ts';
import { closingKindsMeant, writtenKind } from './written-kind.ts';

/**
 * The namespaces that a manifest's objects are about: what it may close while one of them cannot be placed (design
 * §15.4). `all` where nobody can say.
 */
export const namespacesOf = (documents: readonly WireObject[]): readonly string[] | 'all' => {
  const found = new Set<string>();
  for (const document of documents) {
    for (const name of namesIn(document)) {
      if (typeof name !== 'string' || !isNamespaceName(name)) return 'all';
      found.add(name);
    }
  }
  return [...found].sort();
};

/** What stands where a namespace is named. */
const namesIn = (document: WireObject): readonly unknown[] => {
  const written = writtenKind(document);
  const metadata = isWireObject(document.metadata) ? document.metadata : {};
  const { name, namespace } = metadata;
  const own = isLeftOut(namespace) && isWireObject(document.metadata) ? 'default' : namespace;
  if (isWorkloadKind(written.group, written.wireKind)) return [own];
  const known = kindOf(written.group, written.wireKind);
  const meant = known === undefined ? closingKindsMeant(written) : [known];
  return meant.flatMap((kind) => {
    if (kind === 'Namespace') return [name];
    return rowOf(kind).namespaced ? [own] : [];
  });
};

const isLeftOut = (namespace: unknown): boolean =>
  namespace === undefined || namespace === null || namespace === '';
