import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import { readDocuments } from '@gatehouse/platform/kube/directory/manifest-documents';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

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

/** A manifest is read as `kubectl apply` reads it, and as a folder's is. */
const readManifest = async (file: string): Promise<readonly WireObject[]> => {
  const read = readDocuments(await readFile(file));
  if (!read.ok)
    throw new GatehouseError(
      'failed-precondition',
      `${file} cannot be read: ${read.problems.map(printProblem).join('; ')}`,
    );
  if (read.value.kind === 'foreign')
    throw new GatehouseError(
      'failed-precondition',
      `${file} holds something without apiVersion and kind: write whole Kubernetes objects`,
    );
  return read.value.objects;
};
