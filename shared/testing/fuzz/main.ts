import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, execPath, exit, stderr } from 'node:process';

/** `npm run fuzz -- NAME [arguments]`: a soak is a file of this folder that says what it did, and exits with 1 when it found something. */
const soaks = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith('-soak.ts'))
  .map((file) => file.replace(/-soak\.ts$/, ''))
  .sort();
const [name = '', ...rest] = argv.slice(2);
if (!soaks.includes(name)) {
  stderr.write(`no soak \`${name}\`: say one of ${soaks.join(', ')}, such as npm run fuzz -- ${soaks[0]}\n`);
  exit(2);
}
const child = spawn(execPath, ['--expose-gc', join(import.meta.dirname, `${name}-soak.ts`), ...rest], {
  stdio: 'inherit',
});
const [code] = (await once(child, 'exit')) as [number | null];
exit(code ?? 1);
