import { lstat, readlink, stat } from 'node:fs/promises';
import { basename, join, parse, resolve, sep } from 'node:path';
import { type IssuerFiles, issuerFileNames } from './issuer-files.ts';

/** A directory where something can change what the files hold, and by which names in it. */
export interface Place {
  /** Tells it from an older directory of the same name. */
  readonly id: string;
  readonly names: ReadonlySet<string>;
}

/** As many as Linux follows (path_resolution(7)). */
const maxLinks = 40;

/** Where to watch for anything that could change issuer or bundle, by directory. */
export const placesOf = async ({ issuer, anchors }: IssuerFiles): Promise<ReadonlyMap<string, Place>> => {
  const files =
    issuer.kind === 'files'
      ? [issuer.certificate, issuer.key].filter((file) => typeof file === 'string')
      : issuerFileNames.map((name) => join(issuer.path, name));
  const found = new Map<string, Set<string>>();
  for (const path of [...files, ...anchors]) {
    for (const [directory, name] of await stepsTo(resolve(path))) {
      found.set(directory, (found.get(directory) ?? new Set()).add(name));
    }
  }
  const places = new Map<string, Place>();
  for (const [directory, names] of found) {
    const identity = await stat(directory, { bigint: true }).catch(() => undefined);
    if (identity === undefined) continue;
    // A directory's own end is told by its own name.
    names.add(basename(directory));
    places.set(directory, { id: `${identity.dev}:${identity.ino}`, names });
  }
  return places;
};

/**
 * The names that lead to a file, each with the directory that holds it: the file itself, every link on the way (a
 * mounted Secret's `..data`, which kubelet replaces), and, where the way ends, the first name that is missing. A folder
 * that is neither a link nor missing is no step: inside it is what counts.
 */
const stepsTo = async (path: string): Promise<readonly (readonly [string, string])[]> => {
  const steps: (readonly [string, string])[] = [];
  let at = parse(path).root;
  let rest = partsOf(path);
  for (let links = 0; links <= maxLinks; ) {
    const [name, ...below] = rest;
    if (name === undefined) return steps;
    const next = join(at, name);
    const found = await lstat(next).catch(() => undefined);
    if (found === undefined) return [...steps, [at, name]];
    if (found.isSymbolicLink()) {
      steps.push([at, name]);
      const target = resolve(at, await readlink(next).catch(() => ''));
      at = parse(target).root;
      rest = [...partsOf(target), ...below];
      links += 1;
      continue;
    }
    if (below.length === 0) steps.push([at, name]);
    at = next;
    rest = below;
  }
  return steps;
};

const partsOf = (path: string): readonly string[] =>
  path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((part) => part !== '');
