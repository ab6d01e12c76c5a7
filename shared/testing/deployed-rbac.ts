import { readdir, readFile } from 'node:fs/promises';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { parseAllDocuments } from 'yaml';

const folder = new URL('../../deploy/rbac/', import.meta.url);

/** The roles, bindings and ServiceAccounts of deploy/rbac, as they are shipped. */
export const readDeployedRbac = async (): Promise<readonly WireObject[]> => {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  if (files.length === 0) throw new Error(`${folder.pathname} holds no manifests`);
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text)).map((document): WireObject => document.toJS());
};
