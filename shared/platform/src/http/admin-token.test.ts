import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { makeStateDir } from '../state/state-dir.ts';
import { devAdminToken } from './admin-token.ts';

test('all services of a state directory have one token, which only its owner can read', async (t) => {
  const state = await makeStateDir(await temporaryFolder(t));
  const tokens = await Promise.all([1, 2, 3].map(() => devAdminToken(state)));
  assert.equal(new Set(tokens).size, 1);
  assert.match(tokens[0] ?? '', /^[\w-]{43}$/);
  assert.equal((await stat(state.adminToken)).mode & 0o777, 0o600);
});

test("a token of one's own is taken, one that is empty, short or no header text is not", async (t) => {
  const state = await makeStateDir(await temporaryFolder(t));
  await writeFile(state.adminToken, 'my-own-long-enough-token\n');
  assert.equal(await devAdminToken(state), 'my-own-long-enough-token');
  for (const text of ['', '\n', 'short', 'two words that are long enough', 'sixteen-and-ümlaut']) {
    await writeFile(state.adminToken, text);
    await assert.rejects(devAdminToken(state), {
      code: 'failed-precondition',
      message: `${state.adminToken} holds no token of at least 16 letters and digits: remove it, and a new one is made`,
    });
  }
});
