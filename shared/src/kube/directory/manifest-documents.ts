import { LineCounter, parseAllDocuments } from 'yaml';
import { type Parsed, parsed, problem } from '../../core/problem.ts';
import { describe, isWireObject, type WireObject } from '../parse/fields.ts';
import { writtenText } from './written-text.ts';

/** The documents of a stream; JSON is read as the YAML it is, so that a key written twice is an error there too. */
const parseYaml = (text: string): Parsed<readonly unknown[]> => {
  const lines = new LineCounter();
  // `merge` for `<<`, as kubectl's YAML has it; a key written twice is an error.
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    uniqueKeys: true,
    prettyErrors: false,
  });
  if ('empty' in documents) return parsed([]);
  const values: unknown[] = [];
  for (const [index, document] of documents.entries()) {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      return problem(
        `line ${line}, column ${col}`,
        error.message,
        'mend the YAML; nothing of this file is used until then',
      );
    }
    try {
      values.push(document.toJS());
    } catch (error) {
      // Aliases without end, or to nothing.
      return problem(
        `document ${index + 1}`,
        error instanceof Error ? error.message : String(error),
        'mend the YAML',
      );
    }
  }
  return parsed(values);
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

const flatten = (value: unknown, where: string): Parsed<readonly WireObject[]> => {
  // An empty document, between two separators or of comments only.
  if (value === null || value === undefined) return parsed([]);
  if (!isWireObject(value))
    return problem(where, `${describe(value)} is no object`, 'write apiVersion, kind, metadata and spec');
  if (isList(value)) return collect(itemsOf(value, value.items), (index) => `${where}: items[${index}]`);
  for (const field of ['apiVersion', 'kind'] as const) {
    const text = value[field];
    if (typeof text !== 'string' || text === '') {
      return problem(
        `${where}: ${field}`,
        text === undefined ? 'missing' : `${describe(text)} is no text`,
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

/**
 * The Kubernetes objects that a manifest holds, lists taken apart. A file is read whole or not at all: half of a policy
 * may be the wrong half.
 */
export const readDocuments = (bytes: Uint8Array): Parsed<readonly WireObject[]> => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return problem('', 'the file is not UTF-8', 'save it as UTF-8');
  }
  const documents = parseYaml(text);
  return documents.ok ? collect(documents.value, (index) => `document ${index + 1}`) : documents;
};
