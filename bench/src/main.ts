import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, execPath, exit, stderr, stdout } from 'node:process';

/** A scenario is a file beside this one that says its first sentence in its first doc comment, and prints ratios. */
const notScenarios = ['main.ts', 'stream-load.ts'];

const scenarios = async (): Promise<readonly string[]> =>
  (await readdir(import.meta.dirname))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !notScenarios.includes(file))
    .map((file) => file.replace(/\.ts$/, ''))
    .sort();

/** One after another: two at once would measure each other. */
const run = async (names: readonly string[]): Promise<number> => {
  for (const name of names) {
    stdout.write(`\n== ${name}\n`);
    const child = spawn(execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) return code ?? 1;
  }
  return 0;
};

const known = await scenarios();
const asked = argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  stderr.write(`no scenario ${unknown.join(', ')}: there are ${known.join(', ')}\n`);
  exit(2);
}
exit(await run(asked.length === 0 ? known : asked));
