import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const made: string[] = [];

// Not by `test.after`: node:test runs those hooks in the order they were registered, so the folder would go before the
// services that a test started on it afterwards are stopped, and a hook that fails keeps the later ones from running.
process.once('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

/** A folder of its own for one test, removed with all it holds when the test file is done. */
export const temporaryFolder = async (_test: TestContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  made.push(path);
  return path;
};
