import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { pid, platform } from 'node:process';
import { GatehouseError } from './error.ts';
import type { StateDir, StateHolder } from './state-dir.ts';

export interface StateLock {
  /** Lets the next one in. */
  release(): Promise<void>;
}

/**
 * Makes sure that one service of a kind runs on a state directory: a Unix socket that answers has a live owner, one
 * that refuses was left by a killed one and is taken over. Throws `already-exists` naming owner, path and remedy.
 */
export const lockState = async (state: StateDir, holder: StateHolder): Promise<StateLock> => {
  const path = state.lockSocket(holder);
  const folder = await open(dirname(path));
  // Bound and listening under a name of its own before it gets the name that others look at: between bind(2) and
  // listen(2) a socket refuses, and another process would take the live one for a dead one.
  const own = join(dirname(path), `.${holder}-${randomBytes(4).toString('hex')}.sock`);
  try {
    const server = await listenAt(reachable(folder, own));
    try {
      const identity = await identityOf(own);
      await claim({ folder, own, path, holder });
      await rm(own);
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
  readonly own: string;
  readonly path: string;
  readonly holder: StateHolder;
}

/** Gives our socket the name of the lock: link(2) fails where it exists, so one of two racers wins. */
const claim = async ({ folder, own, path, holder }: Claim): Promise<void> => {
  for (;;) {
    const taken = await link(own, path).then(
      () => false,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return true;
        throw error;
      },
    );
    if (!taken) return;
    const found = await identityOf(path);
    const owner = await ask(reachable(folder, path));
    if (owner.kind === 'live') {
      throw new GatehouseError(
        'already-exists',
        `${holder} already runs on the state directory ${dirname(path)} (${owner.who}, ${basename(path)}): ` +
          'stop it, or use another GATEHOUSE_STATE_DIR',
      );
    }
    if (found !== undefined) await clear(path, own, found);
  }
};

/** Removes the dead socket that was looked at, and no other: if a racer replaced it meanwhile, his is put back. */
const clear = async (path: string, own: string, dead: string): Promise<void> => {
  const aside = `${own}.stale`;
  const moved = await rename(path, aside).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!moved) return;
  if ((await identityOf(aside)) !== dead) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
};

const release = async (server: Server, path: string, identity: string | undefined): Promise<void> => {
  // Only our own: a folder that was emptied and used anew holds somebody else's.
  if ((await identityOf(path)) === identity) await rm(path, { force: true });
  await close(server);
};

/** Tells one socket file from a later one of the same name; undefined when there is none. */
const identityOf = async (path: string): Promise<string | undefined> => {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}/${found.ino}/${found.birthtimeNs}`;
};

// sun_path holds 108 bytes on Linux, 104 elsewhere, with the final zero. A longer path is reached through the folder's
// open descriptor; where there is no /proc the path has to be shorter.
const longest = 103;

const reachable = (folder: FileHandle, path: string): string => {
  if (Buffer.byteLength(path) <= longest) return path;
  if (platform === 'linux') return `/proc/self/fd/${folder.fd}/${basename(path)}`;
  throw new GatehouseError(
    'invalid-argument',
    `the path of the socket ${path} is longer than ${longest} bytes: use a shorter GATEHOUSE_STATE_DIR`,
  );
};

const listenAt = (path: string): Promise<Server> => {
  // Whoever connects is told who holds the lock.
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
