import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import { describe, isWireObject, type WireObject } from '../parse/fields.ts';
import { measureExpanded } from './expanded-size.ts';
import { splitJsonValues } from './json-values.ts';
import { loadYaml, mostLevels } from './kubernetes-yaml.ts';
import { isMeantAsObject } from './meant-as-object.ts';
import { writtenText } from './written-text.ts';

/**
 * How long a manifest may be, and how long with its aliases written out. A manifest is read in one go, and the process
 * does nothing else meanwhile; the worst text of this length takes seconds. An object in etcd has at most 1.5 MiB.
 */
export const mostManifestBytes = 8 * 1024 * 1024;

/** What a file of the folder holds. */
export type Documents =
  | { readonly kind: 'objects'; readonly objects: readonly WireObject[] }
  /** Something else than Kubernetes objects, such as the values of a chart. */
  | { readonly kind: 'foreign' };

/** Tools that join files leave one before each of them; YAML 1.2 §5.2 allows it before any document. */
const byteOrderMarks = /^\ufeff/gm;

const load = (text: string): Parsed<readonly unknown[]> => {
  const jsonValues = splitJsonValues(text);
  if (jsonValues === undefined) return loadYaml(text);
  const documents: unknown[] = [];
  for (const value of jsonValues) {
    // JSON is read as the YAML that it is, so that a key written twice is an error there too.
    const loaded = loadYaml(value.text, value.linesBefore);
    if (!loaded.ok) return loaded;
    documents.push(...loaded.value);
  }
  return parsed(documents);
};

/** The objects of a list inherit kind and version from a typed one, such as PodList. */
const itemsOf = (list: WireObject, items: readonly unknown[]): readonly unknown[] =>
  list.kind === 'List'
    ? items
    : items.map((item) =>
        isWireObject(item)
          ? { apiVersion: list.apiVersion, kind: writtenText(list.kind).replace(/List$/, ''), ...item }
          : item,
      );

const isList = (value: WireObject): value is WireObject & { readonly items: readonly unknown[] } =>
  typeof value.kind === 'string' && value.kind.endsWith('List') && Array.isArray(value.items);

/** Whether objects may be in it that nobody would find: an object by itself has no items, and a list nothing else. */
const isMeantAsList = (value: WireObject): boolean =>
  Object.hasOwn(value, 'items') || /^list$/i.test(writtenText(value.kind));

const flatten = (value: unknown, where: string): Parsed<readonly WireObject[]> => {
  // An empty document, between two separators or of comments only.
  if (value === null || value === undefined) return parsed([]);
  if (!isWireObject(value))
    return problem(where, `${describe(value)} is not an object`, 'write apiVersion, kind, metadata and spec');
  if (isList(value)) return collect(itemsOf(value, value.items), (index) => `${where}: items[${index}]`);
  if (isMeantAsList(value))
    return problem(
      where,
      'a list that cannot be taken apart',
      'write kind: List and a list of objects in items',
    );
  for (const field of ['apiVersion', 'kind'] as const) {
    const text = value[field];
    if (typeof text !== 'string' || text === '') {
      return problem(
        `${where}: ${field}`,
        text === undefined ? 'missing' : `${describe(text)} is not a text`,
        `every object says its ${field}`,
      );
    }
  }
  return parsed([value]);
};

const collect = (
  values: readonly unknown[],
  where: (index: number) => string,
): Parsed<readonly WireObject[]> => {
  const objects: WireObject[] = [];
  for (const [index, value] of values.entries()) {
    const flat = flatten(value, where(index));
    if (!flat.ok) return flat;
    objects.push(...flat.value);
  }
  return parsed(objects);
};

const documentOf = (index: number): string => `document ${index + 1}`;

/**
 * The Kubernetes objects that a manifest holds, lists taken apart. A file is read whole or not at all: half of a policy
 * may be the wrong half.
 */
export const readDocuments = (bytes: Uint8Array): Parsed<Documents> => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return problem('', 'the file is not UTF-8', 'save it as UTF-8');
  }
  const documents = load(text.replace(byteOrderMarks, ''));
  if (!documents.ok) return documents;
  const written = documents.value.filter((value) => value !== null);
  if (written.length > 0 && !written.some(isMeantAsObject)) return parsed({ kind: 'foreign' });
  for (const [index, value] of documents.value.entries()) {
    const size = measureExpanded(value, { size: mostManifestBytes, levels: mostLevels });
    if (!size.ok)
      return { ok: false, problems: size.problems.map((one) => ({ ...one, field: documentOf(index) })) };
  }
  const objects = collect(documents.value, documentOf);
  return objects.ok ? parsed({ kind: 'objects', objects: objects.value }) : objects;
};
