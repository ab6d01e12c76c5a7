import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execPath, report } from 'node:process';
import { promisify } from 'node:util';
import type { Entry } from './layer.ts';

/** The user that the services run as; nothing in the image belongs to it. */
export const user = { name: 'gatehouse', id: 65_532 } as const;

/**
 * What Node needs to run and nothing else, no shell: Node itself, which is the one that runs us, and the shared libraries that it has
 * loaded, as they are on this machine. Where dpkg knows the libraries, its records and their licence texts come along where scanners
 * of images look for them.
 */
export const baseLayer = async (): Promise<readonly Entry[]> => {
  const libraries = sharedLibraries();
  const files = await Promise.all(
    libraries.map(async (path): Promise<Entry> => {
      const content = await readFile(path);
      return { kind: 'file', path: inImage(path), content, mode: 0o755 };
    }),
  );
  return [
    { kind: 'file', path: 'usr/local/bin/node', content: await readFile(execPath), mode: 0o755 },
    ...(await nodeLicence()),
    ...files,
    ...links(libraries),
    ...(await packageRecords(libraries)),
    ...settings,
  ];
};

interface Report {
  readonly header: { readonly glibcVersionRuntime?: string };
  readonly sharedObjects: readonly string[];
}

/** Throws where there is no glibc that can look up names by itself: older ones load another library for it, unseen here. */
const sharedLibraries = (): readonly string[] => {
  const { header, sharedObjects } = report.getReport() as unknown as Report;
  const [major = 0, minor = 0] = (header.glibcVersionRuntime ?? '').split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 34)) {
    const found = header.glibcVersionRuntime ?? 'none';
    throw new Error(`an image is made of this machine's glibc, 2.34 or newer; found: ${found}`);
  }
  // The kernel's own is no file.
  return sharedObjects.filter((path) => path.startsWith('/'));
};

/** On a distribution with merged folders `/lib` is a link, and so it is in the image. */
const inImage = (path: string): string => path.replace(/^\/(?=lib)/, '/usr/').slice(1);

const links = (libraries: readonly string[]): readonly Entry[] => {
  const tops = new Set(libraries.flatMap((path) => /^\/(lib\w*)\//.exec(path)?.[1] ?? []));
  return [...tops].map((path) => ({ kind: 'link', path, to: `usr/${path}` }));
};

const settings: readonly Entry[] = [
  {
    kind: 'file',
    path: 'etc/passwd',
    content: `root:x:0:0::/:\n${user.name}:x:${user.id}:${user.id}::/:\n`,
  },
  { kind: 'file', path: 'etc/group', content: `root:x:0:\n${user.name}:x:${user.id}:\n` },
  // Without it glibc asks DNS before /etc/hosts.
  { kind: 'file', path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
  { kind: 'folder', path: 'tmp', mode: 0o1777 },
];

const nodeLicence = async (): Promise<readonly Entry[]> => {
  const text = await readFile(join(dirname(execPath), '../LICENSE')).catch(() => undefined);
  return text === undefined ? [] : [{ kind: 'file', path: 'usr/share/doc/node/copyright', content: text }];
};

const run = promisify(execFile);

/** What dpkg says about the packages that these files are of; nothing on a machine without dpkg. */
const packageRecords = async (files: readonly string[]): Promise<readonly Entry[]> => {
  const found = await Promise.all(files.map(packageOf));
  const names = [...new Set(found.flatMap((name) => name ?? []))].sort();
  const records = names.map(async (name): Promise<readonly Entry[]> => {
    const { stdout } = await run('dpkg-query', ['--status', name]);
    const copyright = await readFile(`/usr/share/doc/${name}/copyright`).catch(() => undefined);
    return [
      { kind: 'file', path: `var/lib/dpkg/status.d/${name}`, content: stdout },
      ...(copyright === undefined
        ? []
        : [{ kind: 'file', path: `usr/share/doc/${name}/copyright`, content: copyright } as const]),
    ];
  });
  if (names.length === 0) return [];
  const release: Entry = {
    kind: 'file',
    path: 'etc/os-release',
    content: await readFile('/etc/os-release'),
  };
  return [release, ...(await Promise.all(records)).flat()];
};

/** dpkg knows a file by the path that its package has, on either side of the link `/lib`. */
const packageOf = async (file: string): Promise<string | undefined> => {
  for (const path of new Set([file, await realpath(file), `/usr${file}`])) {
    const answer = await run('dpkg-query', ['--search', path]).catch(() => undefined);
    const name = /^([^:\s]+)(?::\w+)?: /.exec(answer?.stdout ?? '')?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
};
