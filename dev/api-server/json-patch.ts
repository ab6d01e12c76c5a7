import { isDeepStrictEqual } from 'node:util';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';

/** A patch that does not fit its document. The message says which operation, and why. */
export class PatchMisfit extends Error {}

/** JSON patch (RFC 6902): what mutating webhooks answer with. Throws PatchMisfit; the document stays as it was. */
export const jsonPatch = (document: WireObject, operations: readonly unknown[]): WireObject => {
  const root = { document: structuredClone(document) as unknown };
  for (const operation of operations) {
    if (!isWireObject(operation)) throw new PatchMisfit('an operation is not an object');
    applyOperation(root, operation);
  }
  if (!isWireObject(root.document)) throw new PatchMisfit('the patched document is not an object');
  return root.document;
};

interface Root {
  document: unknown;
}

const applyOperation = (root: Root, { op, path, from, value }: WireObject): void => {
  switch (op) {
    case 'add':
      add(root, parsePointer(path), value);
      return;
    case 'remove':
      remove(root, parsePointer(path));
      return;
    case 'replace':
      find(root, parsePointer(path));
      set(root, parsePointer(path), value);
      return;
    case 'move':
      add(root, parsePointer(path), remove(root, parsePointer(from)));
      return;
    case 'copy':
      add(root, parsePointer(path), structuredClone(find(root, parsePointer(from))));
      return;
    case 'test':
      if (isDeepStrictEqual(find(root, parsePointer(path)), value)) return;
      throw new PatchMisfit(`testing value ${path} failed`);
    default:
      throw new PatchMisfit(`unexpected kind: ${op}`);
  }
};

/** JSON pointer (RFC 6901). */
const parsePointer = (text: unknown): readonly string[] => {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')))
    throw new PatchMisfit(`${text} is not a JSON pointer`);
  return text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
};

const find = (root: Root, path: readonly string[]): unknown => {
  let value = root.document;
  for (const part of path) {
    if (Array.isArray(value)) value = value[indexIn(value, part, value.length - 1)];
    else if (isWireObject(value) && Object.hasOwn(value, part)) value = value[part];
    else throw new PatchMisfit(`there is no /${path.join('/')}`);
  }
  return value;
};

const indexIn = (list: readonly unknown[], part: string, last: number): number => {
  const index = part === '-' ? list.length : /^(0|[1-9]\d*)$/.test(part) ? Number(part) : -1;
  if (index < 0 || index > last) throw new PatchMisfit(`there is no item ${part}`);
  return index;
};

/** The container of a path, which is a clone and may be changed. */
const holderOf = (root: Root, path: readonly string[]): readonly [unknown, string] => [
  find(root, path.slice(0, -1)),
  path.at(-1) ?? '',
];

const set = (root: Root, path: readonly string[], value: unknown): void => {
  if (path.length === 0) {
    root.document = value;
    return;
  }
  const [holder, part] = holderOf(root, path);
  if (Array.isArray(holder)) holder[indexIn(holder, part, holder.length - 1)] = value;
  else if (isWireObject(holder)) Object.assign(holder, { [part]: value });
  else throw new PatchMisfit(`there is nothing to hold /${path.join('/')}`);
};

const add = (root: Root, path: readonly string[], value: unknown): void => {
  const [holder, part] = path.length === 0 ? [undefined, ''] : holderOf(root, path);
  if (Array.isArray(holder)) holder.splice(indexIn(holder, part, holder.length), 0, value);
  else set(root, path, value);
};

const remove = (root: Root, path: readonly string[]): unknown => {
  if (path.length === 0) throw new PatchMisfit('nothing would be left of the document');
  const removed = find(root, path);
  const [holder, part] = holderOf(root, path);
  if (Array.isArray(holder)) holder.splice(indexIn(holder, part, holder.length - 1), 1);
  else if (isWireObject(holder)) Reflect.deleteProperty(holder, part);
  return removed;
};
