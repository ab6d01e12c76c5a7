import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { serviceNames } from '@gatehouse/platform/service/service';
import { type Entry, entriesOf } from './layer.ts';

const run = promisify(execFile);

/** Beside the programs: V8's code of each module, which Node reads in place of compiling it. */
const compiledFolder = 'compiled';

/**
 * How an image starts Node. Nearly all that a service reads it lets go at once: a young generation larger than 4 MiB is filled before
 * it is cleared, and stays. V8 uses no code that was compiled with other options than it runs with, so both have these.
 */
export const nodeOptions: readonly string[] = ['--max-semi-space-size=4'];

/** Where Node finds the code. Portable: by the modules' paths as seen from there, since they are compiled elsewhere than they run. */
export const compileCache = (home: string): Readonly<Record<string, string>> => ({
  NODE_COMPILE_CACHE: join(home, compiledFolder),
  NODE_COMPILE_CACHE_PORTABLE: '1',
});

/** Loads each service of `packed` once, and so writes their code into a folder of it. */
export const writeCompiledCode = async (packed: string): Promise<void> => {
  for (const name of serviceNames) await load(packed, name);
};

/** The compiled code of all services, as entries below `at`. `packed` is left as it was. */
export const compiledCode = async (packed: string, at: string): Promise<readonly Entry[]> => {
  const folder = join(packed, compiledFolder);
  await rm(folder, { recursive: true, force: true });
  try {
    await writeCompiledCode(packed);
    return await entriesOf(folder, `${at}/${compiledFolder}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Code 2: it has loaded all its modules by then, and found that it cannot be run this way. */
const unusable = 2;

/** Wherever `packed` is, its modules have this path: it is part of the code, and the same image is to come of the same checkout. */
const here = '/proc/self/cwd';

const load = async (packed: string, name: string): Promise<void> => {
  const options = [...nodeOptions, '--preserve-symlinks', '--preserve-symlinks-main', '--random-seed=1'];
  const ended = await run(execPath, [...options, join(here, 'serve.mjs'), name], {
    cwd: packed,
    env: { ...compileCache(here), GATEHOUSE_LOG_LEVEL: 'to be compiled only' },
  }).then(
    () => ({ code: 0, stderr: '' }),
    (error: { readonly code?: number; readonly stderr?: string }) => error,
  );
  if (ended.code !== unusable) throw new Error(`${name} was not loaded: ${ended.stderr}`);
};
