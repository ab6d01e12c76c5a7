import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import { crdName, type Definition, toManifest } from './definition.ts';
import { definitions } from './definitions.ts';

/** Beside this folder, so that `kubectl apply -f deploy/crds/generated` finds nothing else there. */
export const crdFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'generated');

const head =
  '# Made from deploy/crds/source; change that, then run `npm run crds`.\n' +
  '# The kinds of gateway.networking.k8s.io belong to the cluster: they are read where they are installed, and not shipped.\n';

/** Written out in full, without anchors: not every tool that reads manifests knows them. */
export const printDefinition = (definition: Definition): string =>
  head + stringify(toManifest(definition), { aliasDuplicateObjects: false, lineWidth: 110 });

/** File name to content, for every kind. */
export const crdFiles = (): ReadonlyMap<string, string> =>
  new Map(definitions.map((definition) => [`${crdName(definition)}.yaml`, printDefinition(definition)]));

/** The files that differ from what the code says, those too many and too few included. */
export const staleFiles = async (folder: string = crdFolder): Promise<readonly string[]> => {
  const wanted = crdFiles();
  const present = await readdir(folder).catch(() => []);
  const stale = present.filter((name) => !wanted.has(name));
  for (const [name, content] of wanted) {
    const written = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (written !== content) stale.push(name);
  }
  return stale.sort();
};

const writeFiles = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of crdFiles()) await writeFile(join(folder, name), content);
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await writeFiles(crdFolder);
