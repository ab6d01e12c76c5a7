import { randomBytes } from 'node:crypto';
import { link, mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';

/** Owner only: what lies in a state directory signs identities. */
const privateFile = 0o600;
const publicFile = 0o644;
const privateFolder = 0o700;

export type Secrecy = 'private' | 'public';

/** A folder only its owner can enter, with its parents. */
export const makePrivateFolder = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true, mode: privateFolder });
};

/**
 * The content of a file that anyone who needs it first makes. Of two processes that race, one makes it and both read the
 * same: link(2) fails where a name exists, and a name appears only with its whole content.
 */
export const makeFileOnce = async (
  path: string,
  secrecy: Secrecy,
  make: () => Promise<string> | string,
): Promise<string> => {
  const existing = await readIfThere(path);
  if (existing !== undefined) return existing;
  await makePrivateFolder(dirname(path));
  const temporary = temporaryName(path);
  try {
    await writeWhole(temporary, await make(), secrecy);
    await link(temporary, path).catch(ignoring('EEXIST'));
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(path, 'utf8');
};

/**
 * A folder of files that belong together (a key and its certificate), made by the first process that needs it: rename(2) refuses
 * to replace a folder that is not empty, so the first whole one stays. Does nothing when the folder is there.
 */
export const makeFolderOnce = async (
  path: string,
  make: () => Promise<Readonly<Record<string, { readonly secrecy: Secrecy; readonly content: string }>>>,
): Promise<void> => {
  if (await isFilled(path)) return;
  await makePrivateFolder(dirname(path));
  const temporary = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  try {
    for (const [name, { secrecy, content }] of Object.entries(await make())) {
      await writeWhole(join(temporary, name), content, secrecy);
    }
    await rename(temporary, path).catch(ignoring('ENOTEMPTY', 'EEXIST'));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/** Puts a new content in place of the old one; readers see the one or the other, whole. */
export const replaceFile = async (path: string, secrecy: Secrecy, content: string): Promise<void> => {
  await makePrivateFolder(dirname(path));
  const temporary = temporaryName(path);
  try {
    await writeWhole(temporary, content, secrecy);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
};

/** The content, or a `failed-precondition` that names the file. */
export const readStateFile = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new GatehouseError('failed-precondition', `${path} cannot be read (${code})`, { cause: error });
  }
};

// Begins with a dot, so that nobody who lists the folder takes it for a finished file.
const temporaryName = (path: string): string =>
  join(dirname(path), `.${basename(path)}-${randomBytes(6).toString('hex')}`);

/** On disk before it gets its name, so that a crash of the machine leaves no empty key behind. */
const writeWhole = async (path: string, content: string, secrecy: Secrecy): Promise<void> => {
  const file = await open(path, 'wx', secrecy === 'private' ? privateFile : publicFile);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
};

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return ignoring('ENOENT')(error);
  }
};

const isFilled = async (path: string): Promise<boolean> => {
  try {
    return (await readdir(path)).length > 0;
  } catch (error) {
    ignoring('ENOENT')(error);
    return false;
  }
};

const ignoring =
  (...codes: readonly string[]) =>
  (error: unknown): undefined => {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  };
