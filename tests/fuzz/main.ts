import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { argv, execPath, exit, stderr, stdout } from 'node:process';

/**
 * `npm run fuzz -- NAME [arguments]`: a soak is a file `NAME-soak.ts` here or in a service's `testing/fuzz` that says what it
 * did, and exits with 1 when it found something. `--help` prints what the soak's file says of its arguments.
 */
const root = join(import.meta.dirname, '../..');
const soaks = new Map<string, string>();
for await (const file of glob('{tests/fuzz,services/*/testing/fuzz}/*-soak.ts', { cwd: root })) {
  soaks.set(basename(file, '-soak.ts'), join(root, file));
}
const names = [...soaks.keys()].sort();
const [name = '', ...rest] = argv.slice(2);
const file = soaks.get(name);
if (file === undefined) {
  stderr.write(`no soak \`${name}\`: say one of ${names.join(', ')}, such as npm run fuzz -- ${names[0]}\n`);
  exit(2);
}
if (rest.includes('--help')) {
  const [, words = ''] = /\/\*\*\s(.*?npm run fuzz.*?)\*\//s.exec(await readFile(file, 'utf8')) ?? [];
  stdout.write(`${words.replaceAll(/^ *\* ?/gm, '').trim()}\n`);
  exit(0);
}
const child = spawn(execPath, ['--expose-gc', file, ...rest], { stdio: 'inherit' });
const [code] = (await once(child, 'exit')) as [number | null];
exit(code ?? 1);
