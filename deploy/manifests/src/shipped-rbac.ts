import { readdir, readFile } from 'node:fs/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './objects/kube-object.ts';

const folder = new URL('../../rbac/', import.meta.url);

/** The roles, bindings and ServiceAccounts of deploy/rbac, as they are shipped: file after file, by name. */
export const readShippedRbac = async (): Promise<readonly KubeObject[]> => {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  if (files.length === 0) throw new GatehouseError('internal', `${folder.pathname} holds no manifests`);
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text)).map((document): KubeObject => document.toJS());
};
