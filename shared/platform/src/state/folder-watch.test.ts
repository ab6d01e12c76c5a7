import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { FolderWatch } from './folder-watch.ts';

const never = 86_400_000;
const forever = new AbortController().signal;

const watching = async (t: TestContext, concerns?: (directory: string, name: string) => boolean) => {
  const folder = await temporaryFolder(t);
  const troubles: string[] = [];
  const watch = new FolderWatch((directory) => void troubles.push(directory), concerns);
  t.after(() => watch.close());
  return { folder, troubles, watch };
};

test('a wait ends when something stirs, and says whether something did', async (t) => {
  const { folder, watch } = await watching(t);
  watch.follow(new Map([[folder, '1']]));
  assert.equal(await watch.wait(never, forever), true, 'what happened before the watch made no event');
  assert.equal(await watch.wait(20, forever), false);
  const stirred = watch.wait(never, forever);
  await writeFile(join(folder, 'a'), '');
  assert.equal(await stirred, true);
  const end = new AbortController();
  const waiting = watch.wait(never, end.signal);
  end.abort();
  await waiting;
});

test('what happens under a name of no concern wakes nobody', async (t) => {
  const { folder, watch } = await watching(t, (_directory, name) => name === 'issuer');
  watch.follow(new Map([[folder, '1']]));
  await watch.wait(never, forever);
  for (let count = 0; count < 20; count += 1) await writeFile(join(folder, 'log'), `${count}`);
  assert.equal(await watch.wait(100, forever), false);
  const stirred = watch.wait(never, forever);
  await writeFile(join(folder, 'issuer'), '');
  assert.equal(await stirred, true);
});

test('a folder that cannot be watched is told of once, and tried again until it can', async (t) => {
  const { folder, troubles, watch } = await watching(t);
  const later = join(folder, 'later');
  for (let count = 0; count < 3; count += 1) {
    watch.follow(new Map([[later, '1']]));
    assert.equal(await watch.wait(15, forever), false);
  }
  assert.deepEqual(troubles, [later]);
  await mkdir(later);
  watch.follow(new Map([[later, '1']]));
  assert.equal(await watch.wait(never, forever), true);
  const stirred = watch.wait(never, forever);
  await writeFile(join(later, 'a'), '');
  assert.equal(await stirred, true);
  assert.deepEqual(troubles, [later]);
});
