import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { env, execPath } from 'node:process';
import type { TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { temporaryFolder } from './temporary-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Writes the URL of each module that is loaded to the file that LOADED names, a line each. */
const spy = `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n');
    return next(url, context);
  },
});
`;

export interface Loaded {
  /** What the process ended with; null where it was ended. */
  readonly code: number | null;
  /** Names of packages, sorted. */
  readonly packages: readonly string[];
  /** Modules of ours, by their paths in the checkout. */
  readonly own: readonly string[];
}

export interface Program {
  /** The module that it starts with. */
  readonly main: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when enough was loaded, and the process is ended. Default: it ends by itself. */
  readonly until?: () => Promise<unknown>;
}

/** The modules that a program loads. They are counted, since how long a start takes depends on the machine. */
export const loadedModules = async (t: TestContext, program: Program): Promise<Loaded> => {
  const folder = await temporaryFolder(t);
  const [script, loaded] = [join(folder, 'spy.mjs'), join(folder, 'loaded')];
  await writeFile(script, spy);
  const { main, args = [], until } = program;
  const child = spawn(execPath, ['--import', pathToFileURL(script).href, main, ...args], {
    env: { PATH: env.PATH, ...program.env, LOADED: loaded, NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  if (until !== undefined) {
    await Promise.race([until(), promise]);
    child.kill('SIGTERM');
  }
  const code = await promise;
  const files = (await readFile(loaded, 'utf8'))
    .split('\n')
    .filter((url) => url.startsWith('file:') && !url.endsWith('spy.mjs'))
    .map((url) => relative(root, fileURLToPath(url)));
  return {
    code,
    packages: [...new Set(files.flatMap((file) => packageOf(file) ?? []))].sort(),
    own: files.filter((file) => packageOf(file) === undefined),
  };
};

const packageOf = (file: string): string | undefined =>
  /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
