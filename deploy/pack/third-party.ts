import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from './programs.ts';

/** A package of others that a bundle holds. */
export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** The SPDX expression that its package.json declares. */
  readonly licence: string;
  /** What its licence and notice files say, in the order of their names; empty where it brings none. */
  readonly texts: readonly string[];
}

/** The packages that these files, named by their paths in the checkout, are of. Each is listed once, by name and version. */
export const thirdParties = async (files: readonly string[]): Promise<readonly ThirdParty[]> => {
  const folders = [...new Set(files.flatMap((file) => packageFolder(file) ?? []))];
  const found = await Promise.all(folders.map((folder) => readPackage(join(checkout, folder))));
  const byName = new Map(found.map((one) => [`${one.name}@${one.version}`, one]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
};

/** Of `…/node_modules/@scope/name/dist/x.js` all up to the package's name. */
const packageFolder = (file: string): string | undefined =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

const readPackage = async (folder: string): Promise<ThirdParty> => {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${folder}/package.json declares no licence`);
  const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file));
  const texts = await Promise.all(files.sort().map((file) => readFile(join(folder, file), 'utf8')));
  return { name, version, licence: license, texts: texts.map((text) => text.trim()) };
};

/** The file that goes with the bundle: most licences ask that their text goes where the code goes. */
export const printThirdParties = (packages: readonly ThirdParty[]): string => {
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const parts = packages.map(({ name, version, licence, texts }) =>
    [`${name} ${version}, ${licence}`, ...texts].join('\n\n'),
  );
  return `${['This program holds parts of these packages.', ...parts].join(rule)}\n`;
};
