import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lockSocket } from '@gatehouse/platform/state/state-lock';
import type { Disk, DiskFile, FileFacts } from './disk.ts';

/** No secrets, but who runs where: not for everybody to read. */
const mode = 0o600;

/** The file system of this machine. */
export const realDisk: Disk = {
  open: async (path) => {
    // O_NONBLOCK, since opening a named pipe would wait for its other end.
    const file = await open(path, constants.O_RDWR | constants.O_NONBLOCK).catch(absent);
    return file && openFile(file);
  },
  create: async (path) =>
    openFile(await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, mode)),
  facts: async (path) => {
    const found = await stat(path).catch(absent);
    return found && factsOf(found);
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  list: readdir,
  syncFolder: async (folder) => {
    const handle = await open(folder);
    try {
      // Some network file systems know no fsync of a folder; they have its names on the server by then.
      await handle.sync().catch(unless('EINVAL', 'ENOTSUP'));
    } finally {
      await handle.close();
    }
  },
  lock: async (path) => {
    const { release } = await lockSocket(join(dirname(path), `.${basename(path)}.lock`), {
      taken: (who) =>
        `another process (${who}) writes the issuance log ${path}: give each its own GATEHOUSE_ISSUANCE_LOG`,
      tooLong: 'use a shorter GATEHOUSE_ISSUANCE_LOG',
    });
    return release;
  },
};

const openFile = (file: FileHandle): DiskFile => ({
  facts: async () => factsOf(await file.stat()),
  read: async (into, position) => (await file.read(into, 0, into.length, position)).bytesRead,
  write: async (bytes, position) => (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
  truncate: (length) => file.truncate(length),
  datasync: () => file.datasync(),
  close: () => file.close(),
});

const factsOf = (found: Stats): FileFacts => ({
  id: `${found.dev}-${found.ino}`,
  kind: found.isFile() ? 'regular' : 'other',
  size: found.size,
  links: found.nlink,
});

const unless =
  (...codes: readonly string[]) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (codes.includes(error.code ?? '')) return undefined;
    throw error;
  };

const absent = unless('ENOENT');
