import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './temporary-folder.ts';

const watchdog = fileURLToPath(new URL('./test-file-watchdog.ts', import.meta.url));

interface Run {
  readonly code: number | null;
  readonly output: string;
}

const run = (file: string, limitMs: number): Promise<Run> => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { promise, resolve } = Promise.withResolvers<Run>();
  const child = execFile(
    process.execPath,
    ['--test', '--test-reporter=tap', '--import', watchdog, file],
    { env: { ...env, TEST_FILE_LIMIT_MS: String(limitMs) } },
    (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
  );
  return promise;
};

test('a test file that something keeps alive fails, and says what it is', async (t) => {
  const file = join(await temporaryFolder(t), 'leaks.test.mjs');
  await writeFile(
    file,
    "import { test } from 'node:test'; import { createServer } from 'node:net'; test('it', () => { createServer().listen(0, '127.0.0.1'); });",
  );
  const { code, output } = await run(file, 1_500);
  assert.equal(code, 1, output);
  assert.match(output, /did not end within 1500 ms; what keeps it alive: .*1 TCPServerWrap/);
});

test('a test file that ends is not waited for', async (t) => {
  const file = join(await temporaryFolder(t), 'ends.test.mjs');
  await writeFile(file, "import { test } from 'node:test'; test('it', () => {});");
  const before = performance.now();
  const { code, output } = await run(file, 200_000);
  assert.equal(code, 0, output);
  assert.ok(performance.now() - before < 100_000);
});
