import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { GatehouseError } from '../../src/error.ts';
import { isWireObject, type WireObject } from '../../src/kube/parse/fields.ts';
import { listOf } from './object-meta.ts';

/**
 * Every object of the YAML and JSON files of a folder and those below it, in an order in which a server can take them:
 * CRDs, then namespaces, then everything else. Throws a GatehouseError that names the file that cannot be read.
 */
export const readManifests = async (folder: string): Promise<readonly WireObject[]> => {
  const files = (await readFolder(folder)).filter((file) => /\.(yaml|yml|json)$/.test(file)).sort();
  const objects = (await Promise.all(files.map((file) => readManifest(join(folder, file))))).flat();
  return objects.toSorted((one, other) => rank(one) - rank(other));
};

const readFolder = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder, { recursive: true });
  } catch (cause) {
    throw new GatehouseError('failed-precondition', `${folder} cannot be read: name a folder of manifests`, {
      cause,
    });
  }
};

const rank = ({ kind }: WireObject): number =>
  kind === 'CustomResourceDefinition' ? 0 : kind === 'Namespace' ? 1 : 2;

const readManifest = async (file: string): Promise<readonly WireObject[]> =>
  parseAllDocuments(await readFile(file, 'utf8')).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined)
      throw new GatehouseError('failed-precondition', `${file} is no YAML: ${error.message.split('\n')[0]}`);
    return expand(document.toJS(), file);
  });

/** The items of a List, or the one object; nothing for an empty document. */
const expand = (value: unknown, file: string): readonly WireObject[] => {
  if (value === null || value === undefined) return [];
  if (!isWireObject(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string')
    throw new GatehouseError(
      'failed-precondition',
      `${file} holds something without apiVersion and kind: write whole Kubernetes objects`,
    );
  return value.kind === 'List' ? listOf(value.items).flatMap((item) => expand(item, file)) : [value];
};
