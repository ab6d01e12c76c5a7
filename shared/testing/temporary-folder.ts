import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of its own for one test, removed with all it holds when the test is over. */
export const temporaryFolder = async (test: TestContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  test.after(() => rm(path, { recursive: true, force: true }));
  return path;
};
