import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const main = join(import.meta.dirname, 'main.ts');

test('every soak says what arguments it takes, and starts nothing', async () => {
  const unknown = await run(execPath, [main, 'none']).catch((error: { readonly stderr: string }) => error);
  const [, list = ''] = /say one of (.*), such as/.exec(unknown.stderr) ?? [];
  const names = list.split(', ');
  assert.deepEqual(names, ['csr', 'destination', 'hostile', 'policy', 'watch']);
  for (const name of names) {
    const { stdout } = await run(execPath, [main, name, '--help']);
    assert.ok(stdout.startsWith(`\`npm run fuzz -- ${name} [`), stdout);
    assert.match(stdout, /\[--(?:seed|share)/);
  }
});
