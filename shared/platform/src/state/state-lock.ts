import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { pid, platform } from 'node:process';
import { GatehouseError } from '@gatehouse/core/error';
import type { StateDir, StateHolder } from './state-dir.ts';

export interface StateLock {
  /** Lets the next one in. */
  release(): Promise<void>;
}

/** Makes sure that one service of a kind runs on a state directory. Throws `already-exists` naming owner, path and remedy. */
export const lockState = (state: StateDir, holder: StateHolder): Promise<StateLock> => {
  const path = state.lockSocket(holder);
  return lockSocket(path, {
    taken: (who) =>
      `${holder} already runs on the state directory ${dirname(path)} (${who}, ${holder}.sock): ` +
      'stop it, or use another GATEHOUSE_STATE_DIR (--state)',
    tooLong: 'use a shorter GATEHOUSE_STATE_DIR',
  });
};

/** What people are told when a lock cannot be had. */
export interface LockWords {
  /** Another process has it. */
  readonly taken: (who: string) => string;
  /** What to do where the socket's path is too long. */
  readonly tooLong: string;
}

/**
 * A lock among the processes of one machine: a Unix socket that answers has a live owner, one that refuses was left by a
 * killed one and is taken over. Throws `already-exists` in the words given.
 */
export const lockSocket = async (path: string, words: LockWords): Promise<StateLock> => {
  const folder = await open(dirname(path));
  const { tooLong } = words;
  // Bound and listening under a name of its own before it gets the name that others look at: between bind(2) and
  // listen(2) a socket refuses, and another process would take the live one for a dead one.
  const own = join(dirname(path), `${hidden(path)}-${randomBytes(4).toString('hex')}.sock`);
  try {
    const server = await listenAt(reachable(folder, own, tooLong));
    try {
      await claim({ folder, own, path, words });
      await rm(own);
      const identity = await identityOf(path);
      return { release: () => release(server, path, identity) };
    } catch (error) {
      await close(server);
      throw error;
    }
  } finally {
    await folder.close();
  }
};

interface Claim {
  readonly folder: FileHandle;
  /** Our socket, listening; every name we take is one more link to it. */
  readonly own: string;
  readonly path: string;
  readonly words: LockWords;
}

/** The name without its ending, not listed by default. */
const hidden = (path: string): string =>
  `.${basename(path)
    .replace(/^\./, '')
    .replace(/\.sock$/, '')}`;

/**
 * Gives our socket the name `path`. link(2) fails where the name exists, so of those who find it free one wins. A dead
 * socket may be replaced only by anyone who holds a second name made from its identity, taken in the same way: then
 * nobody who looked at the dead one earlier can replace the live one that came after it.
 */
const claim = async (wanted: Claim): Promise<void> => {
  const { folder, own, path, words } = wanted;
  while (!(await linkIfFree(own, path))) {
    const found = await identityOf(path);
    const owner = await ask(reachable(folder, path, words.tooLong));
    if (owner.kind === 'live') {
      throw new GatehouseError('already-exists', words.taken(owner.who));
    }
    if (found === undefined) continue;
    const permit = join(dirname(path), `${hidden(path)}-after-${found}.sock`);
    await claim({ ...wanted, path: permit });
    try {
      if ((await identityOf(path)) === found) await replaceBy(own, path);
    } finally {
      await rm(permit);
    }
    if (await isSame(own, path)) return;
  }
};

const linkIfFree = (own: string, path: string): Promise<boolean> =>
  link(own, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

const replaceBy = async (own: string, path: string): Promise<void> => {
  await link(own, `${own}.new`);
  await rename(`${own}.new`, path);
};

const isSame = async (one: string, other: string): Promise<boolean> =>
  (await identityOf(one)) === (await identityOf(other));

const release = async (server: Server, path: string, identity: string | undefined): Promise<void> => {
  // Only our own: a folder that was emptied and used again holds another process's.
  if ((await identityOf(path)) === identity) await rm(path, { force: true });
  await close(server);
};

/** Tells one socket file from a later one of the same name; undefined when there is none. */
const identityOf = async (path: string): Promise<string | undefined> => {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}-${found.ino}-${found.birthtimeNs}`;
};

// sun_path holds 108 bytes on Linux, 104 elsewhere, with the final zero. A longer path is reached through the folder's
// open descriptor; where there is no /proc the path has to be shorter.
const longest = 103;

const reachable = (folder: FileHandle, path: string, tooLong: string): string => {
  if (Buffer.byteLength(path) <= longest) return path;
  if (platform === 'linux') return `/proc/self/fd/${folder.fd}/${basename(path)}`;
  throw new GatehouseError(
    'invalid-argument',
    `the path of the socket ${path} is longer than ${longest} bytes: ${tooLong}`,
  );
};

const listenAt = (path: string): Promise<Server> => {
  // Anyone who connects is told who holds the lock.
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`process ${pid}\n`);
  });
  // The lock is held for as long as the process runs, but is no reason for it to run.
  server.unref();
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.once('error', reject);
  server.listen(path, () => resolve(server));
  return promise;
};

const close = (server: Server): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
};

type Owner = { readonly kind: 'live'; readonly who: string } | { readonly kind: 'dead' };

const ask = (path: string): Promise<Owner> => {
  const { promise, resolve, reject } = Promise.withResolvers<Owner>();
  const socket = connect(path);
  let connected = false;
  let said = '';
  socket.setEncoding('utf8');
  // A stopped (SIGSTOP) owner accepts in the kernel and says nothing: it is alive all the same.
  socket.setTimeout(1_000, () => socket.destroy());
  socket.on('connect', () => {
    connected = true;
  });
  socket.on('data', (text: string) => {
    said += text;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (connected) return;
    if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve({ kind: 'dead' });
    else reject(error);
  });
  socket.on('close', () => resolve({ kind: 'live', who: said.trim() || 'a process that does not answer' }));
  return promise;
};
